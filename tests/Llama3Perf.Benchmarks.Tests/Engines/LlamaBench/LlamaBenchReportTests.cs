using System.Text;
using CsCheck;
using Llama3Perf.Benchmarks.Engines.LlamaBench;
using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Tests.Engines.LlamaBench;

public sealed class LlamaBenchReportTests
{
    [Fact]
    public void A_new_version_with_depth_on_a_gpu()
    {
        LlamaBenchTest test = Assert.Single(LlamaBenchReport.Parse(LlamaBenchTexts.New));

        Assert.Equal(
            ("8cf427ff", 5163, "CUDA", "NVIDIA GeForce RTX 4080"),
            (test.BuildCommit, test.BuildNumber, test.Backends, test.GpuInfo)
        );
        Assert.Equal(("llama 1B Q4_0", 8, 0, 4, 16), (test.ModelType, test.Threads, test.PromptTokens, test.NewTokens, test.Depth));
        Assert.Equal([8e6, 10e6], test.SamplesNs);
        Assert.Equal([500.0, 400.0], test.SamplesTps);
    }

    /// <summary>What a real llama-bench printed, of the CPU build, for a small random model.</summary>
    [Theory]
    [InlineData("Available devices:\n", "")]
    [InlineData(
        "ggml_cuda_init: found 1 CUDA devices:\nAvailable devices:\n  CUDA0: NVIDIA H100 (81559 MiB, 80000 MiB free)\n  CUDA1: NVIDIA H100 "
            + "(1 MiB)\n",
        "cuda"
    )]
    [InlineData("Available devices:\n  MTL0: Apple M4 (1 MiB, 1 MiB free)\n  BLAS: Accelerate (0 MiB, 0 MiB free)\n", "metal,blas")]
    [InlineData("Available devices:\r\n  Vulkan0: a GPU (1 MiB)\r\n", "vulkan")]
    public void Backends_in_a_list_of_devices(string list, string backends) =>
        Assert.Equal(backends, string.Join(',', LlamaBenchReport.Backends(list)));

    [Theory]
    [InlineData("prefill", 64, 0, 0)]
    [InlineData("decode", 0, 16, 64)]
    public void Real_reports(string file, int prompt, int newTokens, int depth)
    {
        string path = Path.Combine(
            Fixtures.Root,
            "tests",
            "Llama3Perf.Benchmarks.Tests",
            "Engines",
            "LlamaBench",
            "Outputs",
            $"cpu-{file}.json"
        );

        LlamaBenchTest test = Assert.Single(LlamaBenchReport.Parse(File.ReadAllText(path)));

        Assert.Equal((prompt, newTokens, depth, 3), (test.PromptTokens, test.NewTokens, test.Depth, test.SamplesNs.Count));
        Assert.Equal(("CPU", "", 2), (test.Backends, test.GpuInfo, test.Threads));
    }

    [Fact]
    public void An_old_version_without()
    {
        LlamaBenchTest test = Assert.Single(LlamaBenchReport.Parse(LlamaBenchTexts.Old));

        Assert.Null(test.Depth);
        Assert.Equal(("CPU", "", 16, 0), (test.Backends, test.GpuInfo, test.PromptTokens, test.NewTokens));
        Assert.Equal([4000.0], test.SamplesTps);
    }

    [Theory]
    [InlineData("", "printed nothing")]
    [InlineData("| model | size |\n| --- | --- |", "not its JSON report")]
    [InlineData("{}", "not its JSON report")]
    [InlineData("null", "not its JSON report")]
    [InlineData("[null]", "not its JSON report")]
    [InlineData("[]", "no test")]
    [InlineData("[{}]", "samples_ns")]
    public void No_report(string text, string words) => AssertRefused(text, words);

    [Theory]
    [InlineData("[ 8000000, 10000000 ]", "[]", "without samples_ns")]
    [InlineData("[ 8000000, 10000000 ]", "[1]", "1 samples_ns and 2 samples_ts")]
    [InlineData("[ 8000000, 10000000 ]", "[8000000, 0]", "cannot be true: 0")]
    [InlineData("[ 8000000, 10000000 ]", "[8000000, 1e999]", "llama-bench")]
    [InlineData("[ 500, 400.0 ]", "[500, -1]", "cannot be true: -1")]
    [InlineData("[ 500, 400.0 ]", "[500, 1e-300]", "cannot be true")]
    [InlineData("[ 500, 400.0 ]", "[500, null]", "(at $[0].samples_ts[1]), which is not its JSON report")]
    [InlineData("[ 500, 400.0 ]", "[500, \"NaN\"]", "not its JSON report")]
    [InlineData("\"samples_ts\"", "\"other\"", "without samples_ts")]
    [InlineData("\"backends\"", "\"other\"", "without backends")]
    [InlineData("\"n_gen\"", "\"other\"", "without n_gen")]
    [InlineData("5163", "5163.5", "not its JSON report")]
    public void A_report_that_cannot_be_true(string good, string bad, string words)
    {
        Assert.Contains(good, LlamaBenchTexts.New, StringComparison.Ordinal);
        AssertRefused(LlamaBenchTexts.New.Replace(good, bad, StringComparison.Ordinal), words);
    }

    [Fact]
    public void Damaged_reports_are_refused_in_one_line_or_still_sound()
    {
        byte[] whole = Encoding.UTF8.GetBytes(LlamaBenchTexts.New);
        Gen<byte> noise = Gen.OneOf(Gen.Byte, Gen.Char["0123456789-+.eE\"\\,:[]{}nu \n"].Select(c => (byte)c));
        Gen.Select(Gen.Int[0, whole.Length], Gen.Int[0, 12], noise.Array[0, 6])
            .Sample(
                (at, removed, put) =>
                {
                    byte[] damaged = [.. whole[..at], .. put, .. whole[Math.Min(at + removed, whole.Length)..]];
                    AssertSoundOrRefused(Encoding.UTF8.GetString(damaged));
                },
                iter: 5_000
            );
        Gen.Int[0, whole.Length - 1]
            .Sample(length => AssertRefused(Encoding.UTF8.GetString(whole.AsSpan(0, length)), "llama-bench"), iter: 300);
    }

    private static void AssertSoundOrRefused(string text)
    {
        try
        {
            Assert.All(
                LlamaBenchReport.Parse(text),
                test =>
                {
                    Assert.NotEmpty(test.SamplesNs);
                    Assert.Equal(test.SamplesNs.Count, test.SamplesTps.Count);
                    Assert.All(test.SamplesNs.Concat(test.SamplesTps), value => Assert.True(double.IsFinite(value) && value > 0));
                    Assert.DoesNotContain(test.BuildCommit + test.Backends + test.GpuInfo + test.ModelType, char.IsControl);
                }
            );
        }
        catch (EngineException e)
        {
            Assert.DoesNotContain(e.Message, char.IsControl);
        }
    }

    private static void AssertRefused(string text, string words)
    {
        string message = Assert.Throws<EngineException>(() => LlamaBenchReport.Parse(text)).Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.DoesNotContain(message, char.IsControl);
    }
}
