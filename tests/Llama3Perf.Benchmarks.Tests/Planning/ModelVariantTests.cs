using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>What is measured of a model: a folder as it is, or a shape at each precision.</summary>
public sealed class ModelVariantTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-variants-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_shape_is_measured_at_each_precision_and_quantized_at_each_block_size() =>
        Assert.Equal(
            [
                (Precision.Int4, 32),
                (Precision.Int4, 64),
                (Precision.Int8, 32),
                (Precision.Int8, 64),
                (Precision.Fp16, null),
                (Precision.Fp32, (int?)null),
            ],
            ModelVariant
                .All(
                    "llama-tiny",
                    new SuiteOptions
                    {
                        Precisions = [Precision.Int4, Precision.Int8, Precision.Fp16, Precision.Fp32],
                        BlockSizes = [32, 64],
                    }
                )
                .Select(variant => (variant.Precision, variant.BlockSize))
        );

    [Fact]
    public void Where_no_precision_was_asked_for_it_is_measured_at_the_usual_ones() =>
        Assert.Equal(
            [Precision.Fp32],
            ModelVariant.All("llama-tiny", new SuiteOptions { UsualPrecisions = [Precision.Fp32] }).Select(variant => variant.Precision)
        );

    [Fact]
    public void A_folder_is_measured_as_it_is()
    {
        string folder = ScriptedFamily.TinyFolder.Path;

        ModelVariant variant = Assert.Single(ModelVariant.All(folder, new SuiteOptions { Precisions = [Precision.Int8, Precision.Int4] }));

        Assert.Equal((folder, Precision.Int4, 32), (variant.Name, variant.Precision, variant.BlockSize));
        Assert.Equal(folder, variant.Folder?.Path);
        Assert.Equal(
            $"--precision: {folder} holds int4 weights; leave --precision out or name that",
            Assert.Throws<UsageException>(() => ModelVariant.All(folder, new SuiteOptions { Precisions = [Precision.Int8] })).Message
        );
    }

    [Fact]
    public void What_is_built_first_is_not_finished()
    {
        Assert.True(ModelVariant.IsFinished(ScriptedFamily.TinyFolder.Path));
        Assert.True(ModelVariant.IsFinished(Gguf()));
        // Nothing can be made of a folder without anything: what opens it says so.
        Assert.True(ModelVariant.IsFinished(_folder));
        Assert.False(ModelVariant.IsFinished(CheckpointFolder.Write(Path.Combine(_folder, "checkpoint"))));
        Assert.False(ModelVariant.IsFinished(ShapeFile()));
        Assert.False(ModelVariant.IsFinished("llama-tiny"));
    }

    [Fact]
    public void Weights_are_somebodys_unless_they_say_that_they_are_random()
    {
        string checkpoint = CheckpointFolder.Write(Path.Combine(_folder, "checkpoint"));

        Assert.False(ModelVariant.IsReal("llama-tiny"));
        Assert.False(ModelVariant.IsReal(ShapeFile()));
        Assert.False(ModelVariant.IsReal(checkpoint));
        Assert.False(ModelVariant.IsReal(ScriptedFamily.TinyFolder.Path));
        Assert.True(ModelVariant.IsReal(CheckpointFolder.WriteReal(Path.Combine(_folder, "real"))));
        Assert.True(ModelVariant.IsReal(Unmarked()));
        // Files of another program.
        Assert.True(ModelVariant.IsReal(Directory.CreateDirectory(Path.Combine(_folder, "another")).FullName));
    }

    [Fact]
    public void Without_a_folder_a_file_is_called_after_its_shape_and_anything_else_as_it_was_named()
    {
        Assert.StartsWith("my-shape", Variant(ShapeFile()).ShownName, StringComparison.Ordinal);
        Assert.Equal("no-such-shape", Variant("no-such-shape").ShownName);
    }

    [Theory]
    [InlineData(64, ExecutionProvider.Cpu, 64, GraphTarget.Cpu)]
    [InlineData(null, ExecutionProvider.Dml, 32, GraphTarget.DirectML)]
    public void It_is_built_for_the_place_where_it_runs(int? asked, ExecutionProvider provider, int blockSize, GraphTarget target)
    {
        ModelBuildOptions options = (Variant("llama-tiny") with { BlockSize = asked }).BuildOptions(provider);

        Assert.Equal(("llama-tiny", Precision.Int4), (options.Model, options.Precision));
        Assert.Equal((blockSize, target), (options.BlockSize, options.Target));
    }

    private static ModelVariant Variant(string name) => new(name, Precision.Int4, 32, null);

    private string ShapeFile()
    {
        string shape = Path.Combine(_folder, "my-shape.json");
        File.Copy(Path.Combine(Fixtures.Root, "src", "Llama3Perf.Models", "Shapes", "llama-tiny.json"), shape, overwrite: true);
        return shape;
    }

    private string Gguf()
    {
        string file = Path.Combine(_folder, "model.gguf");
        File.WriteAllText(file, "");
        return file;
    }

    // The smallest shape's folder without what says who made it.
    private string Unmarked()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "unmarked")).FullName;
        foreach (
            string file in Directory
                .EnumerateFiles(ScriptedFamily.TinyFolder.Path)
                .Where(file => !file.EndsWith("llama3perf.json", StringComparison.Ordinal))
        )
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        return folder;
    }
}
