using Llama3Perf.Benchmarks.Engines.LlamaBench;

namespace Llama3Perf.Benchmarks.Tests.Engines.LlamaBench;

public sealed class LlamaBenchModelTests
{
    [Theory]
    [InlineData("llama 1B Q4_0", "a.gguf", "q4_0")]
    [InlineData("llama 1B all F32", "a-q4_0.gguf", "fp32")]
    [InlineData("llama 8B F16", "a.gguf", "fp16")]
    [InlineData("llama 8B BF16", "a.gguf", "bf16")]
    [InlineData("llama 8B Q4_K - Medium", "a.gguf", "q4_k_m")]
    [InlineData("llama 8B IQ2_XXS - 2.0625 bpw", "a.gguf", "iq2_xxs")]
    [InlineData("llama 8B mostly new", "Llama-3.2-1B-Q8_0.gguf", "q8_0")]
    [InlineData(null, "models/Llama-3.2-1B-Instruct-Q4_K_M.gguf", "q4_k_m")]
    [InlineData(null, "f16folder/model.gguf", "unknown")]
    public void Precision(string? modelType, string file, string expected) =>
        Assert.Equal(expected, LlamaBenchModel.Precision(modelType, file));

    [Theory]
    [InlineData("q4_0", 32)]
    [InlineData("q8_0", 32)]
    [InlineData("q4_k_m", null)]
    [InlineData("fp16", null)]
    public void Block_size(string precision, int? expected) => Assert.Equal(expected, LlamaBenchModel.BlockSize(precision));

    [Theory]
    [InlineData("models/a.b.gguf", "a.b")]
    [InlineData("A.GGUF", "A")]
    [InlineData("model.bin", "model.bin")]
    public void Name(string file, string expected) => Assert.Equal(expected, LlamaBenchModel.Name(file));
}
