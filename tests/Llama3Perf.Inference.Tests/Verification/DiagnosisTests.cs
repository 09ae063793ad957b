using System.Runtime.InteropServices;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Inference.Tests.Verification;

/// <summary>What a diagnosis names, over both forms of one checkpoint on the CPU.</summary>
public sealed class DiagnosisTests : IDisposable
{
    private static readonly int[] s_prompt = [.. Enumerable.Range(1, 9)];

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-diagnose-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Int4)]
    public void Both_forms_of_a_model_agree_node_by_node(Precision precision)
    {
        Diagnosis diagnosis = Diagnosis.Of(Side(Build(GraphTarget.DirectML, precision)), Side(Build(GraphTarget.Cpu, precision)), s_prompt);

        Assert.Null(diagnosis.First);
        // Of both steps and both layers: three projections of the packed one, attention and its output, both norms and sums, the MLP.
        foreach (
            string role in (string[])
                ["attn/q_proj", "attn/k_proj", "attn/v_proj", "attn/GroupQueryAttention", "attn/o_proj", "mlp/down_proj", "input_layernorm"]
        )
        {
            Assert.Equal(4, diagnosis.Differences.Count(found => found.Tensor.Role == role));
        }

        Assert.Equal("logits", diagnosis.Differences[^1].Tensor.Role);
    }

    [Fact]
    public void One_norm_weight_changed_in_the_directml_form_names_its_layer_and_node()
    {
        ModelFolder directML = Build(GraphTarget.DirectML, Precision.Fp32);
        const string weight = "model.layers.1.post_attention_layernorm.weight";
        PlantedFault.Change(directML, weight, bytes => MemoryMarshal.Cast<byte, float>(bytes)[7] *= 2);

        TensorDifference first = Diagnosis.Of(Side(directML), Side(Build(GraphTarget.Cpu, Precision.Fp32)), s_prompt).First!;

        Assert.Equal(
            ("prefill", 1, "post_attention_layernorm", "SkipSimplifiedLayerNormalization"),
            (first.Step, first.Tensor.Layer, first.Tensor.Role, first.Tensor.Operator)
        );
        Assert.Equal("/model/layers.1/post_attention_layernorm/SkipLayerNorm", first.Tensor.Node);
    }

    [Fact]
    public void Other_models_are_refused_in_one_line()
    {
        string shape = Path.Combine(_folder, "config.json");
        File.WriteAllText(
            shape,
            """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
             "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
             "num_key_value_heads": 1, "vocab_size": 1024, "rms_norm_eps": 1e-5, "max_position_embeddings": 64, "rope_theta": 10000.0}
            """
        );
        ModelFolder other = ModelBuilder.Build(
            new ModelBuildOptions { Model = shape },
            Path.Combine(_folder, "other"),
            cancellationToken: TestContext.Current.CancellationToken
        );

        EngineException error = Assert.Throws<EngineException>(() =>
            Diagnosis.Of(Side(other), Side(Build(GraphTarget.Cpu, Precision.Fp32)), s_prompt)
        );

        Assert.Contains("they are different models", error.Message, StringComparison.Ordinal);
    }

    private static VerifiedSide Side(ModelFolder folder) => new(folder, "ort", new EngineOptions { Threads = 1 });

    private ModelFolder Build(GraphTarget target, Precision precision)
    {
        string checkpoint = Path.Combine(_folder, "checkpoint");
        if (!Directory.Exists(checkpoint))
        {
            LlamaShape tiny = LlamaShape.Load("llama-tiny");
            SyntheticCheckpoint.Write(tiny, checkpoint, CheckpointType.BFloat16, shardBytes: long.MaxValue, seed: 3, threads: 1);
        }

        return ModelBuilder.Build(
            new ModelBuildOptions
            {
                Model = checkpoint,
                Precision = precision,
                Target = target,
            },
            Path.Combine(_folder, $"{target}-{precision}"),
            cancellationToken: TestContext.Current.CancellationToken
        );
    }
}
