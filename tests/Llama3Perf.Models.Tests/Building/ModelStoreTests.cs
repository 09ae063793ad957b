using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Models.Tests.Building;

public sealed class ModelStoreTests : IDisposable
{
    private static readonly ModelBuildOptions s_tiny = new() { Model = "llama-tiny" };

    private readonly TemporaryFolder _root = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Everything_that_shapes_a_folder_changes_its_path()
    {
        var store = new ModelStore(_root.Path);
        ModelBuildOptions[] variants =
        [
            s_tiny,
            s_tiny with
            {
                Model = "llama-125m",
            },
            s_tiny with
            {
                Precision = Precision.Int8,
            },
            s_tiny with
            {
                Precision = Precision.Fp16,
            },
            s_tiny with
            {
                BlockSize = 64,
            },
            s_tiny with
            {
                Symmetric = false,
            },
            s_tiny with
            {
                AccuracyLevel = 0,
            },
            s_tiny with
            {
                Target = GraphTarget.Cuda,
            },
            s_tiny with
            {
                Target = GraphTarget.DirectML,
            },
            s_tiny with
            {
                TieEmbeddings = false,
            },
            s_tiny with
            {
                PruneLmHead = false,
            },
            s_tiny with
            {
                Seed = 1,
            },
        ];

        Assert.Equal(variants.Length, variants.Select(store.PathOf).Distinct().Count());
    }

    [Fact]
    public void What_has_no_effect_does_not()
    {
        var store = new ModelStore(_root.Path);
        ModelBuildOptions fp32 = s_tiny with { Precision = Precision.Fp32 };

        Assert.Equal(store.PathOf(fp32), store.PathOf(fp32 with { BlockSize = 128, Symmetric = false, AccuracyLevel = 0 }));
        Assert.Equal(store.PathOf(s_tiny), store.PathOf(s_tiny with { TieEmbeddings = true }));
    }

    [Fact]
    public void Names_can_be_read()
    {
        string name = Path.GetFileName(new ModelStore(_root.Path).PathOf(s_tiny));

        Assert.Matches("^llama-tiny-int4-b32-cpu-[0-9a-f]{12}$", name);
    }

    [Fact]
    public void A_folder_is_built_once()
    {
        var store = new ModelStore(_root["models"]);
        ModelFolder first = store.GetOrBuild(s_tiny, cancellationToken: Token);
        DateTime written = File.GetLastWriteTimeUtc(first.GraphPath);

        Assert.Equal(written, File.GetLastWriteTimeUtc(store.GetOrBuild(s_tiny, cancellationToken: Token).GraphPath));
        Assert.Equal(store.PathOf(s_tiny), first.Path);
    }

    [Fact]
    public void Fingerprints_of_synthetic_folders_follow_their_options()
    {
        var store = new ModelStore(_root.Path);
        string first = ModelFingerprint.Compute(store.GetOrBuild(s_tiny, cancellationToken: Token), cancellationToken: Token);
        string copy = ModelFingerprint.Compute(
            ModelBuilder.Build(s_tiny, _root["elsewhere"], cancellationToken: Token),
            cancellationToken: Token
        );
        string seed = ModelFingerprint.Compute(
            store.GetOrBuild(s_tiny with { Seed = 9 }, cancellationToken: Token),
            cancellationToken: Token
        );

        Assert.Matches("^[0-9a-f]{64}$", first);
        Assert.Equal(first, copy);
        Assert.NotEqual(first, seed);
    }

    [Theory]
    [InlineData("model.onnx.data")]
    [InlineData("genai_config.json")]
    public void Fingerprints_of_other_folders_follow_their_contents(string file)
    {
        ModelFolder folder = ModelBuilder.Build(s_tiny, _root["m"], cancellationToken: Token);
        File.Delete(Path.Combine(folder.Path, "llama3perf.json"));
        var foreign = ModelFolderReader.Open(folder.Path);
        string before = ModelFingerprint.Compute(foreign, cancellationToken: Token);

        byte[] bytes = File.ReadAllBytes(Path.Combine(folder.Path, file));
        bytes[^2] ^= 1;
        File.WriteAllBytes(Path.Combine(folder.Path, file), bytes);

        Assert.False(foreign.IsSynthetic);
        Assert.NotEqual(before, ModelFingerprint.Compute(foreign, cancellationToken: Token));
    }
}
