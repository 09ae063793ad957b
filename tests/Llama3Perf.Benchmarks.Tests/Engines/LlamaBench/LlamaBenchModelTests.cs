using Llama3Perf.Benchmarks.Engines.LlamaBench;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Benchmarks.Tests.Engines.LlamaBench;

public sealed class LlamaBenchModelTests
{
    [Theory]
    [InlineData("llama 1B Q4_0", "a.gguf", "int4")]
    [InlineData("llama 1B all F32", "a-q4_0.gguf", "fp32")]
    [InlineData("llama 8B F16", "a.gguf", "fp16")]
    [InlineData("llama 8B BF16", "a.gguf", "bf16")]
    [InlineData("llama 8B Q4_K - Medium", "a.gguf", "q4_k_m")]
    [InlineData("llama 8B IQ2_XXS - 2.0625 bpw", "a.gguf", "iq2_xxs")]
    [InlineData("llama 8B mostly new", "Llama-3.2-1B-Q8_0.gguf", "int8")]
    [InlineData(null, "models/Llama-3.2-1B-Instruct-Q4_K_M.gguf", "q4_k_m")]
    [InlineData(null, "f16folder/model.gguf", "unknown")]
    public void Precision(string? modelType, string file, string expected) =>
        Assert.Equal(expected, LlamaBenchModel.PrecisionOf(modelType, file));

    [Theory]
    [InlineData("int4", 32)]
    [InlineData("int8", 32)]
    [InlineData("q4_k_m", null)]
    [InlineData("fp16", null)]
    public void Block_size(string precision, int? expected) => Assert.Equal(expected, LlamaBenchModel.BlockSizeOf(precision));

    [Theory]
    [InlineData("models/a.b.gguf", "a.b")]
    [InlineData("A.GGUF", "A")]
    [InlineData("model.bin", "model.bin")]
    [InlineData("llama-125m-q4_0.gguf", "llama-125m")]
    [InlineData("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Llama-3.2-1B-Instruct")]
    [InlineData("q4_0.gguf", "q4_0")]
    public void A_file_that_cannot_be_read_is_named_by_its_name_without_the_format(string file, string expected)
    {
        LlamaBenchModel model = LlamaBenchModel.Of(file);

        Assert.Equal((expected, true), (model.Name, model.IsReal));
    }

    [Fact]
    public void A_file_of_the_suite_says_what_it_is()
    {
        string root = Directory.CreateTempSubdirectory("l3p-gguf-").FullName;
        try
        {
            ModelStore store = new(root);
            CancellationToken cancellation = TestContext.Current.CancellationToken;
            ModelFolder source = store.GetOrBuild(
                new ModelBuildOptions { Model = "llama-tiny", BlockSize = 64 },
                cancellationToken: cancellation
            );
            ModelFolder gguf = store.ConvertToGguf(source, cancellationToken: cancellation);

            LlamaBenchModel model = LlamaBenchModel.Of(gguf.GraphPath);

            Assert.Equal(("llama-tiny", "int4", 64, false), (model.Name, model.Precision, model.BlockSize, model.IsReal));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
