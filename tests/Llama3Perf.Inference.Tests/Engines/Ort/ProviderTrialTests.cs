using Llama3Perf.Inference.Engines.Ort;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

public sealed class ProviderTrialTests
{
    [Theory]
    [InlineData(
        "[ErrorCode:Fail] Failed to load library /a/libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: "
            + "cannot open shared object file: No such file or directory",
        "cuda needs libcublasLt.so.13, which is not found, which the CUDA toolkit (cuBLAS) has: install it"
    )]
    [InlineData("error: libcudnn.so.9: cannot open shared object file", "cuda needs libcudnn.so.9, which is not found, which cuDNN 9 has:")]
    [InlineData("error: libfoo.so.2: cannot open shared object file", "cuda needs libfoo.so.2, which is not found: install it")]
    [InlineData(
        "CUDA failure 100: no CUDA-capable device is detected\nGPU=-1",
        "cuda opens no session here: CUDA failure 100: no CUDA-capable device is detected GPU=-1"
    )]
    public void A_trial_that_failed_names_what_is_missing_and_what_brings_it(string text, string expected) =>
        Assert.StartsWith(expected, ProviderTrial.Reason(ExecutionProvider.Cuda, text), StringComparison.Ordinal);

    [Fact]
    public void A_long_text_is_cut()
    {
        string reason = ProviderTrial.Reason(ExecutionProvider.Dml, new string('x', 5000));

        Assert.InRange(reason.Length, 300, 400);
    }

    [Fact]
    public void The_cpu_needs_no_trial() => Assert.Null(ProviderTrial.Problem(ExecutionProvider.Cpu));
}
