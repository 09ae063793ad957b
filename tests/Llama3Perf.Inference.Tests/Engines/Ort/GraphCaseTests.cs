using Google.Protobuf;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Tests.Engines.GenAi;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>Graphs of Microsoft's builder beside the usual ones, run on the CPU: right by their reference, or refused before anything is
/// loaded.</summary>
[Collection(RealGenAiTests.Collection)]
public sealed class GraphCaseTests
{
    [Theory]
    [InlineData("official-phi3-longrope-64")]
    [InlineData("official-int4-qdq")]
    [InlineData("official-qwen2-nfc")]
    public void Agrees_with_the_checkpoint(string name)
    {
        using CaseFolder folder = new(name);
        AssertRight(folder.Path, folder.Reference);
    }

    [Fact]
    public void A_mixed_folder_takes_the_checkpoints_tokens()
    {
        using CaseFolder files = new("right-official-rtn_last");
        ModelFolder folder = ModelFolderReader.Open(files.Path);
        using IEngine engine = Load(folder);
        Assert.Null(ModelVerification.Of(engine, folder, Reference.Read(files.Reference), new VerificationLimits(1, 0, 100, 16)).Failure);
    }

    [Fact]
    public void A_window_that_the_graph_lost_is_found_by_the_answers()
    {
        using CaseFolder files = new("official-mistral-window-24-lost");
        ModelFolder folder = ModelFolderReader.Open(files.Path);
        using IEngine engine = Load(folder);
        Assert.NotNull(
            ModelVerification
                .Of(engine, folder, Reference.Read(files.Reference), VerificationLimits.For(Precision.Fp32, Closeness.OtherWeights))
                .Failure
        );
    }

    [Fact]
    public void A_window_in_the_graph_is_kept()
    {
        using CaseFolder files = new("official-mistral-window-24-lost");
        var graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(files["model.onnx"]));
        foreach (
            AttributeProto window in graph
                .Graph.Node.SelectMany(node => node.Attribute)
                .Where(attribute => attribute.Name == "local_window_size")
        )
        {
            window.I = 24;
        }

        File.WriteAllBytes(files["model.onnx"], graph.ToByteArray());

        AssertRight(files.Path, files.Reference);
    }

    // A cache of 4 bits is far from the checkpoint: what it gives is what ONNX Runtime GenAI 0.18 gave of the same folder.
    [Fact]
    public void A_cache_of_four_bits_gives_the_tokens_that_genai_gives()
    {
        TestRuntime.SkipWithoutQuantizedCache();
        using CaseFolder folder = new("official-fp32-kv-int4");
        ModelFolder opened = ModelFolderReader.Open(folder.Path);
        ReferenceCase prompt = Reference.Read(folder.Reference).Cases[0];
        const string Expected = "499 415 415 252 207 122 500 248 109 164 180 425 210 415 441 109";
        if (TestRuntime.HasGenAi)
        {
            Assert.Equal(Expected, string.Join(' ', Tokens(opened, "genai", prompt.InputIds, 16)));
        }

        Assert.Equal(Expected, string.Join(' ', Tokens(opened, "ort", prompt.InputIds, 16)));
    }

    [Fact]
    public void A_sequence_that_outgrows_the_short_rotary_tables_goes_on_with_the_long_ones()
    {
        using CaseFolder folder = new("official-phi3-longrope-64");
        Reference reference = Reference.Read(folder.Reference);
        // One of the reference's answers begins within 64 tokens and ends beyond.
        Assert.Contains(reference.Cases, prompt => prompt.InputIds.Length < 64 && prompt.InputIds.Length + prompt.GreedyTokens.Length > 64);
        ModelFolder opened = ModelFolderReader.Open(folder.Path);
        int[] prompt = reference.Cases[0].InputIds;

        int[] all = Tokens(opened, "ort", prompt, 128 - prompt.Length);
        Assert.Equal(all[..20], Tokens(opened, "ort", prompt, 20));
    }

    [Theory]
    [InlineData("official-fp16-cpu-mha", "grows by Concat in float16")]
    [InlineData("official-int4-cuda-bf16", "has bf16 activations")]
    [InlineData("official-int4-cuda-prepacked", "weight_prepacked")]
    public void Is_refused_on_the_cpu_by_name(string name, string reason)
    {
        using CaseFolder folder = new(name);
        ModelFolder opened = ModelFolderReader.Open(folder.Path);
        foreach (EngineKind engine in EngineCatalog.All.Where(kind => kind.Format == ModelFormat.Onnx))
        {
            string message = Assert.Throws<EngineException>(() => engine.Load(opened, new EngineOptions())).Message;
            Assert.Contains(reason, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void A_cache_that_grows_gives_the_tokens_of_one_that_does_not()
    {
        using CaseFolder place = new("official-qwen2-nfc");
        LlamaShape shape = LlamaShape.Load("llama-tiny");
        SyntheticCheckpoint.Write(
            shape with
            {
                KeyValueHeadCount = shape.HeadCount,
            },
            place["checkpoint"],
            CheckpointType.Float32,
            long.MaxValue,
            seed: 3,
            threads: 1,
            cancellationToken: TestContext.Current.CancellationToken
        );
        ModelBuildOptions options = new()
        {
            Model = place["checkpoint"],
            Precision = Precision.Fp32,
            Target = GraphTarget.DirectML,
        };
        ModelFolder inPlace = ModelBuilder.Build(options, place["in-place"], cancellationToken: TestContext.Current.CancellationToken);
        ModelFolder growing = WithMultiHeadAttention(
            ModelBuilder.Build(options, place["growing"], cancellationToken: TestContext.Current.CancellationToken)
        );
        Assert.Equal(GraphFamily.Growing, growing.Family);

        using IEngine engine = Load(growing);
        int[] expected = Tokens(inPlace, "ort", [1, 20, 300, 4, 50], 24);
        Assert.Equal(expected, Tokens(engine, [1, 20, 300, 4, 50], 24));
        Assert.Equal(Tokens(inPlace, "ort", [7], 9), Tokens(engine, [7], 9));
        Assert.Equal(expected, Tokens(engine, [1, 20, 300, 4, 50], 24));
        if (TestRuntime.HasGenAi)
        {
            Assert.Equal(expected, Tokens(growing, "genai", [1, 20, 300, 4, 50], 24));
        }
    }

    /// <summary>The graph with MultiHeadAttention in the place of GroupQueryAttention: its present is a new, longer tensor in every
    /// call.</summary>
    private static ModelFolder WithMultiHeadAttention(ModelFolder folder)
    {
        ModelProto onnx = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder.GraphPath));
        foreach (NodeProto node in onnx.Graph.Node.Where(node => node.OpType == "GroupQueryAttention"))
        {
            string[] inputs = [.. node.Input];
            AttributeProto[] kept = [.. node.Attribute.Where(attribute => attribute.Name is "num_heads" or "scale")];
            node.OpType = "MultiHeadAttention";
            node.Input.Clear();
            node.Input.AddRange([.. inputs[..3], "", "", "", inputs[3], inputs[4]]);
            node.Attribute.Clear();
            node.Attribute.AddRange([
                .. kept,
                new AttributeProto
                {
                    Name = "unidirectional",
                    Type = AttributeProto.Types.AttributeType.Int,
                    I = 1,
                },
            ]);
        }

        File.WriteAllBytes(folder.GraphPath, onnx.ToByteArray());
        string configuration = Path.Combine(folder.Path, "genai_config.json");
        File.WriteAllText(
            configuration,
            File.ReadAllText(configuration)
                .Replace("\"past_present_share_buffer\": true", "\"past_present_share_buffer\": false", StringComparison.Ordinal)
        );
        File.Delete(Path.Combine(folder.Path, "llama3perf.json"));
        return ModelFolderReader.Open(folder.Path);
    }

    private static void AssertRight(string path, string reference)
    {
        ModelFolder folder = ModelFolderReader.Open(path);
        using IEngine engine = Load(folder);
        Assert.Null(
            ModelVerification
                .Of(engine, folder, Reference.Read(reference), VerificationLimits.For(folder.Precision, Closeness.OtherWeights))
                .Failure
        );
    }

    private static int[] Tokens(ModelFolder folder, string engine, int[] prompt, int count)
    {
        using IEngine loaded = EngineCatalog.Get(engine).Load(folder, new EngineOptions { Threads = 1 });
        return Tokens(loaded, prompt, count);
    }

    private static int[] Tokens(IEngine engine, int[] prompt, int count)
    {
        engine.Reset(prompt.Length + count);
        engine.Prefill(prompt);
        return [.. Enumerable.Range(0, count).Select(_ => engine.NextToken())];
    }

    private static IEngine Load(ModelFolder folder) =>
        EngineCatalog.Get("ort").Load(folder, new EngineOptions { Threads = 1, AllowEos = true });
}
