using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Tests.Engines.Ort;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Inference.Tests.Verification;

/// <summary>The ort engine on the CPU against files of another implementation, and both forms of a graph against each other.</summary>
public sealed class FolderVerificationTests(ModelFolders folders) : IClassFixture<ModelFolders>
{
    [Theory]
    [InlineData("llama3-gqa-bf16", "official-fp16-dml")]
    [InlineData("llama32-tied-ropescaled-sharded", "official-fp16-dml")]
    [InlineData("llama3-gqa-bf16", "official-int4-cpu")]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-cpu")]
    public void Official_folders_agree_with_the_checkpoint(string fixture, string variant)
    {
        ModelFolder folder = ModelFolderReader.Open(Fixtures.Shared(fixture, variant));
        Assert.Null(
            Verify(
                folder,
                Reference.Read(Fixtures.Shared(fixture, "reference.json")),
                VerificationLimits.For(folder.Precision, Closeness.OtherWeights)
            ).Failure
        );
    }

    [Fact]
    public void A_folder_of_another_checkpoint_does_not()
    {
        ModelFolder folder = ModelFolderReader.Open(Fixtures.Shared("llama3-gqa-bf16", "official-int4-cpu"));
        var reference = Reference.Read(Fixtures.Shared("llama3-gqa-bf16", "reference.json"));
        // Other prompts under the same logits: a model that computes something else.
        Reference other = reference with
        {
            Cases = [reference.Cases[0] with { InputIds = [5, 6, 7] }],
        };
        Assert.NotNull(Verify(folder, other, VerificationLimits.For(folder.Precision, Closeness.OtherWeights)).Failure);
    }

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void Official_directml_folders_agree_with_the_cpus(string fixture) =>
        AssertAgree(
            ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-cpu")),
            ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-dml")),
            VerificationLimits.For(Precision.Int4, Closeness.RoundedActivations)
        );

    [Theory]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Fp16)]
    [InlineData(Precision.Int4)]
    public void Both_forms_of_a_graph_compute_the_same_on_the_cpu(Precision precision)
    {
        using CaseFolder place = new("official-qwen2-nfc");
        ModelBuildOptions options = new()
        {
            // Tied and quantized, the embeddings of the two forms are not the same.
            Model = ModelFolders.TinyConfig(place["untied"], isTied: false),
            Precision = precision,
            Target = GraphTarget.DirectML,
            AccuracyLevel = 0,
        };
        ModelFolder directML = folders.Get(options);
        ModelFolder standard = folders.Own(options with { Target = GraphTarget.Cuda });
        CopyWeights(directML, standard);

        AssertAgree(standard, directML, VerificationLimits.For(precision, Closeness.Rounding));
    }

    private static void AssertAgree(ModelFolder reference, ModelFolder tested, VerificationLimits limits)
    {
        using IEngine engine = Load(reference);
        var answers = Reference.Of(
            engine,
            reference.Name,
            [new TokenizedPrompt("a", [1, 20, 300, 4, 50]), new TokenizedPrompt("b", [7])],
            reference.EosTokenIds
        );
        Assert.Null(Verify(tested, answers, limits).Failure);
    }

    private static ModelVerification Verify(ModelFolder folder, Reference reference, VerificationLimits limits)
    {
        using IEngine engine = Load(folder);
        return ModelVerification.Of(engine, folder, reference, limits);
    }

    private static IEngine Load(ModelFolder folder) =>
        EngineCatalog.Get("ort").Load(folder, new EngineOptions { Threads = 1, AllowEos = true });

    // The standard form packs q, k and v: behind one another where rows are outputs, side by side where columns are.
    private static void CopyWeights(ModelFolder from, ModelFolder to)
    {
        Dictionary<string, TensorProto> sources = OnnxFile.Read(from.GraphPath).Graph.Initializer.ToDictionary(tensor => tensor.Name);
        byte[] source = File.ReadAllBytes(Path.Combine(from.Path, "model.onnx.data"));
        byte[] target = File.ReadAllBytes(Path.Combine(to.Path, "model.onnx.data"));
        foreach (TensorProto tensor in OnnxFile.Read(to.GraphPath).Graph.Initializer)
        {
            if (OnnxFile.Range(to.GraphPath, tensor) is not { } range)
            {
                continue;
            }

            byte[][] parts =
            [
                .. (tensor.Name.Contains("qkv_proj") ? new[] { "q_proj", "k_proj", "v_proj" } : ["qkv_proj"]).Select(part =>
                    Bytes(sources[tensor.Name.Replace("qkv_proj", part)])
                ),
            ];
            int rows = parts.Length == 1 || tensor.Name.Contains("weight_") ? 1 : (int)tensor.Dims[0];
            byte[] bytes =
            [
                .. Enumerable
                    .Range(0, rows)
                    .SelectMany(row => parts.SelectMany(part => part[(part.Length / rows * row)..(part.Length / rows * (row + 1))])),
            ];
            Assert.Equal(range.Length, bytes.Length);
            bytes.CopyTo(target, range.Offset);
        }

        File.WriteAllBytes(Path.Combine(to.Path, "model.onnx.data"), target);

        byte[] Bytes(TensorProto tensor)
        {
            ExternalRange range = OnnxFile.Range(from.GraphPath, tensor)!;
            return source[(int)range.Offset..(int)(range.Offset + range.Length)];
        }
    }
}
