using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Inspection;

namespace Llama3Perf.Models.Tests.Folders;

/// <summary>Folders that Microsoft's builder writes beside the usual ones: each is what it is, and refused where nothing computes it
/// rightly.</summary>
public sealed class GraphCaseTests
{
    [Theory]
    [InlineData("official-fp16-cpu-mha", GraphFamily.Growing, Precision.Fp16, "fp16", "fp16", 128)]
    [InlineData("official-fp32-kv-int4", GraphFamily.Standard, Precision.Fp32, "fp32", "int4", 64)]
    [InlineData("official-int4-cuda-bf16", GraphFamily.Standard, Precision.Int4, "bf16", "bf16", 256)]
    [InlineData("official-int4-cuda-prepacked", GraphFamily.Standard, Precision.Int4, "fp16", "fp16", 256)]
    [InlineData("official-int4-qdq", GraphFamily.Standard, Precision.Int4, "fp32", "fp32", 512)]
    [InlineData("official-mistral-window-24-lost", GraphFamily.Standard, Precision.Fp32, "fp32", "fp32", 512)]
    [InlineData("official-qwen2-nfc", GraphFamily.Standard, Precision.Fp32, "fp32", "fp32", 512)]
    [InlineData("official-phi3-longrope-64", GraphFamily.Standard, Precision.Fp32, "fp32", "fp32", 1024)]
    public void Is_seen_as_what_it_is(
        string name,
        GraphFamily family,
        Precision precision,
        string activations,
        string cache,
        long cacheBytes
    )
    {
        using CaseFolder folder = new(name);
        var inspection = FolderInspection.Of(folder.Path);

        Assert.Equal((family, precision), (inspection.Folder.Family, inspection.Folder.Precision));
        // Two layers, two KV heads of 16 (Phi-3: four), keys and values: 128 numbers a token.
        Assert.Equal(
            (activations, cache, name.EndsWith("mha", StringComparison.Ordinal) ? 256 : cacheBytes),
            (inspection.Activations, inspection.Cache, inspection.CacheBytesPerToken)
        );
        Assert.Contains(inspection.Weights, weights => weights.Class == WeightClass.LmHead);
    }

    [Theory]
    [InlineData("official-fp16-cpu-mha", "ort", "", "grows by Concat in float16")]
    [InlineData("official-fp16-cpu-mha", "genai", "cuda", "grows by Concat in float16")]
    [InlineData("official-fp32-kv-int4", "ort", "cpu cuda", null)]
    [InlineData("official-fp32-kv-int4", "genai", "cpu cuda", null)]
    [InlineData("official-int4-cuda-bf16", "ort", "", "has bf16 activations")]
    [InlineData("official-int4-cuda-bf16", "genai", "cuda", "has bf16 activations")]
    [InlineData("official-int4-cuda-prepacked", "ort", "", "weight_prepacked")]
    [InlineData("official-int4-cuda-prepacked", "genai", "cuda", "weight_prepacked")]
    [InlineData("official-int4-qdq", "ort", "cpu", null)]
    [InlineData("official-phi3-longrope-64", "ort", "cpu", null)]
    [InlineData("official-qwen2-nfc", "ort", "cpu webgpu", null)]
    public void Runs_on_what_has_what_it_needs(string name, string engine, string providers, string? onCpu)
    {
        using CaseFolder folder = new(name);
        var opened = ModelFolderReader.Open(folder.Path);

        Assert.Equal(
            providers,
            string.Join(
                ' ',
                Enum.GetValues<GraphTarget>()
                    .Where(target => GraphNeeds.Refusal(opened, engine, target) is null)
                    .Select(target => target.Name())
            )
        );
        string? refusal = GraphNeeds.Refusal(opened, engine, GraphTarget.Cpu);
        if (onCpu is null)
        {
            Assert.Null(refusal);
            return;
        }

        Assert.StartsWith($"{folder.Path} has", refusal, StringComparison.Ordinal);
        Assert.Contains(onCpu, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal!);
    }

    [Fact]
    public void The_length_of_short_rotary_tables_is_read_off_the_branches()
    {
        using CaseFolder folder = new("official-phi3-longrope-64");
        Assert.Equal(64, ModelFolderReader.Open(folder.Path).LongRopeLength);
    }

    [Fact]
    public void A_window_that_the_builder_lost_is_a_problem()
    {
        using CaseFolder folder = new("official-mistral-window-24-lost");
        Assert.Contains(
            FolderInspection.Of(folder.Path).Problems,
            problem =>
                problem.StartsWith(
                    "genai_config.json has a sliding window of 24 tokens, the graph's attention has none",
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public void A_folder_without_its_embedding_is_refused_by_that_name()
    {
        using CaseFolder folder = new("official-no-embeddings");
        Assert.Contains(
            "takes inputs_embeds instead of input_ids: it was exported without its embedding",
            Assert.Throws<ModelException>(() => ModelFolderReader.Open(folder.Path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_embedding_that_a_transpose_ties_to_the_head_is_one_matrix()
    {
        using CaseFolder folder = new("official-qwen2-nfc");
        var inspection = FolderInspection.Of(folder.Path);

        Assert.True(inspection.IsTied);
        Assert.Equal(512 * 64, inspection.Weights.Single(weights => weights.Class == WeightClass.LmHead).Parameters);
        Assert.Contains(inspection.Problems, problem => problem.Contains("second copy", StringComparison.Ordinal));
    }

    [Fact]
    public void Mixed_storage_is_shown()
    {
        using CaseFolder folder = new("right-official-rtn_last");
        var inspection = FolderInspection.Of(folder.Path);
        Assert.StartsWith(
            "int8",
            inspection.Weights.Single(weights => weights.Class == WeightClass.LmHead).Storage,
            StringComparison.Ordinal
        );
        Assert.StartsWith("int4", inspection.Weights.Single(weights => weights.Class == WeightClass.Mlp).Storage, StringComparison.Ordinal);
    }
}
