using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>The verb verify on folders made of a checkpoint, against what transformers computed of it.</summary>
[Collection(nameof(CliSession))]
public sealed class ConvertedVerifyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-converted-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("llama3-gqa-bf16", "fp32")]
    [InlineData("llama3-gqa-bf16", "fp16")]
    [InlineData("llama3-gqa-bf16", "int8")]
    [InlineData("llama3-gqa-bf16", "int4")]
    [InlineData("llama32-tied-ropescaled-sharded", "fp32")]
    [InlineData("llama32-tied-ropescaled-sharded", "fp16")]
    [InlineData("llama32-tied-ropescaled-sharded", "int8")]
    [InlineData("llama32-tied-ropescaled-sharded", "int4")]
    public void A_conversion_is_within_its_precisions_limits(string fixture, string precision)
    {
        (int exitCode, string output, string error) = Verify(fixture, Build(fixture, precision));

        Assert.True(exitCode == ExitCode.Success, output);
        Assert.Equal("", error);
        Assert.Contains("PASS: ", output, StringComparison.Ordinal);
    }

    // One layer's worth of wrong bytes in the middle of the weights; the folder still opens and loads.
    [Theory]
    [InlineData("llama3-gqa-bf16", "fp32")]
    [InlineData("llama32-tied-ropescaled-sharded", "fp32")]
    [InlineData("llama3-gqa-bf16", "int4")]
    public void A_conversion_with_damaged_weights_is_not(string fixture, string precision)
    {
        string model = Build(fixture, precision);
        string data = Path.Combine(model, "model.onnx.data");
        byte[] bytes = File.ReadAllBytes(data);
        bytes.AsSpan(bytes.Length / 2, bytes.Length / 16).Reverse();
        File.WriteAllBytes(data, bytes);

        (int exitCode, string output, _) = Verify(fixture, model);

        Assert.True(exitCode == ExitCode.Failed, output);
        Assert.Contains("FAIL: ", output, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Output, string Error) Verify(string fixture, string model) =>
        CliSession.Run(
            "verify",
            model,
            "--engine",
            "ort",
            "--provider",
            "cpu",
            "--threads",
            "1",
            "--reference",
            Fixtures.Shared(fixture, "reference.json")
        );

    private string Build(string fixture, string precision)
    {
        string model = Path.Combine(_folder, "model");
        (int exitCode, _, string error) = CliSession.Run(
            "build",
            "--model",
            Fixtures.Shared(fixture, "hf"),
            "--precision",
            precision,
            "--output",
            model
        );
        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        return model;
    }
}
