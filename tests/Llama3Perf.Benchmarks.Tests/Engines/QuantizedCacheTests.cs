using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Engines;

/// <summary><c>--kv-type</c>: a folder with another KV cache is made on the way, is a case of its own, and is held against the one that it
/// was made of.</summary>
[Collection(nameof(CliSession))]
public sealed class QuantizedCacheTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-kv-cases-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("int8", 8)]
    [InlineData("int4", 4)]
    public void A_case_has_the_cache_that_was_asked_for(string name, int bits)
    {
        Assert.SkipWhen(NativeLibraries.PackagedSet == "DirectML", "ONNX Runtime 1.24.4 computes no KV cache of integers");
        PlannedCase planned = Plan("ort", name == "int8" ? KeyValueType.Int8 : KeyValueType.Int4);
        PlannedCase plain = Plan("ort", null);
        var folder = ModelFolderReader.Open(planned.ModelPath);

        Assert.Null(planned.SkipReason);
        Assert.Null(planned.Failure);
        Assert.Contains($"kv_type={name}", planned.Key.EngineOptions, StringComparison.Ordinal);
        Assert.Equal(bits, folder.Arithmetic.CacheBits);
        Assert.Equal(plain.CacheBytesPerToken * bits / 32, planned.CacheBytesPerToken);
        Assert.NotEqual(plain.Key, planned.Key);
        Assert.Equal(VerificationStatus.Passed, planned.Verification.Status);
        Assert.Equal(VerificationStatus.Reference, plain.Verification.Status);
    }

    [Theory]
    [InlineData(KeyValueType.F32, null)]
    [InlineData(KeyValueType.F16, "ort keeps keys and values as the graph computes, here in fp32")]
    public void Other_types_are_the_graphs_own(KeyValueType type, string? reason)
    {
        PlannedCase planned = Plan("ort", type);

        Assert.Equal(reason is null, planned.SkipReason is null);
        Assert.StartsWith(reason ?? "", planned.SkipReason ?? "", StringComparison.Ordinal);
        Assert.DoesNotContain("kv_type", planned.Key.EngineOptions ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        ExitCode.Usage,
        "has no KV cache of int8 there",
        "build",
        "--model",
        "llama-tiny",
        "--kv-type",
        "int8",
        "--provider",
        "dml"
    )]
    [InlineData(ExitCode.Usage, "a GGUF file has no KV cache", "build", "--model", "llama-tiny", "--kv-type", "int8", "--format", "gguf")]
    [InlineData(ExitCode.Usage, "'q8' is unknown", "build", "--model", "llama-tiny", "--kv-type", "q8")]
    [InlineData(
        ExitCode.Input,
        "keeps keys and values as the graph computes",
        "generate",
        "--model",
        "llama-tiny",
        "--engine",
        "ort",
        "--provider",
        "cpu",
        "--kv-type",
        "f16"
    )]
    public void What_is_not_there_is_one_line(int expected, string part, params string[] arguments)
    {
        (int exitCode, _, string error) = CliSession.Run(arguments);

        Assert.Equal(expected, exitCode);
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_folder_is_built_once_and_not_quantized_twice()
    {
        string folder = Path.Combine(_folder, "int8");
        string[] build = ["build", "--model", "llama-tiny", "--kv-type", "int8", "--output", folder];

        Assert.Equal(ExitCode.Success, CliSession.Run(build).ExitCode);
        Assert.Equal(8, ModelFolderReader.Open(folder).Arithmetic.CacheBits);
        Assert.Equal(ExitCode.Success, CliSession.Run(build).ExitCode);
        Assert.Equal(ExitCode.Success, CliSession.Run("inspect", folder).ExitCode);

        (int exitCode, _, string error) = CliSession.Run(
            "verify",
            folder,
            "--against-engine",
            "ort",
            "--kv-type",
            "int4",
            "--engine",
            "ort"
        );
        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains("has a KV cache of integers already", error, StringComparison.Ordinal);
    }

    /// <summary>It is the side that was named that has the cache, and the other one that has not.</summary>
    [Fact]
    public void A_diagnosis_finds_the_attention_that_rounds()
    {
        Assert.SkipWhen(NativeLibraries.PackagedSet == "DirectML", "ONNX Runtime 1.24.4 computes no KV cache of integers");
        string folder = Path.Combine(_folder, "plain");
        Assert.Equal(
            ExitCode.Success,
            CliSession.Run("build", "--model", "llama-tiny", "--precision", "fp32", "--output", folder).ExitCode
        );

        (int exitCode, string output, _) = CliSession.Run(
            "diagnose",
            folder,
            "--against",
            folder,
            "--kv-type",
            "int4",
            "--threads",
            "1",
            "--max-difference",
            "1%"
        );

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("first in layer 0 of the prefill: GroupQueryAttention", output, StringComparison.Ordinal);
    }

    private PlannedCase Plan(string engine, KeyValueType? type)
    {
        SuiteOptions options = new()
        {
            Models = ["llama-tiny"],
            Engines = [engine],
            Providers = [ExecutionProvider.Cpu],
            Precisions = [Precision.Int4],
            Prompts = ["pp8"],
            MaxLengths = [16],
            Threads = 1,
            KeyValueType = type,
        };
        PlanContext context = new(options, Planning.ScriptedFamily.Context(options).Machine, new ModelPreparation(_folder));
        return Assert.Single(new CasePlanner(context).Plan(EngineFamilies.Choose(context)));
    }
}
