using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>One test of llama-bench, as far as a row needs it. Texts are one line each.</summary>
internal sealed record LlamaBenchTest
{
    public required string BuildCommit { get; init; }

    public required int BuildNumber { get; init; }

    /// <summary>Names of the backends, comma separated: <c>CUDA</c>, <c>Metal,BLAS</c>, <c>CPU</c>.</summary>
    public required string Backends { get; init; }

    /// <summary>Names of the GPUs; empty without one.</summary>
    public required string GpuInfo { get; init; }

    /// <summary>Architecture, size and quantization: <c>llama 1B Q4_0</c>.</summary>
    public required string ModelType { get; init; }

    public int? Threads { get; init; }

    /// <summary>Layers that were asked to run on a GPU; null from versions that do not tell.</summary>
    public int? GpuLayers { get; init; }

    public required int PromptTokens { get; init; }

    public required int NewTokens { get; init; }

    /// <summary>Tokens that were in the context before the clock started; null from versions that know no depth.</summary>
    public int? Depth { get; init; }

    /// <summary>Duration of each repetition, ns; as many as <see cref="SamplesTps"/>, at least one, all above 0.</summary>
    public required IReadOnlyList<double> SamplesNs { get; init; }

    /// <summary>Tokens a second of each repetition, above 0.</summary>
    public required IReadOnlyList<double> SamplesTps { get; init; }
}

/// <summary>Reads what <c>llama-bench -o json</c> and <c>--list-devices</c> print.</summary>
internal static partial class LlamaBenchReport
{
    // What the columns of a run hold: a number beyond them could be written and not be read again.
    private const double LongestNs = 1e15;
    private const double SlowestTps = 1e-3;
    private const double FastestTps = 1e9;
    private const int LargestCount = 1_000_000_000;

    /// <summary>The tests, at least one, in their order.</summary>
    /// <exception cref="EngineException">The text is no such report, or one that cannot be true.</exception>
    public static IReadOnlyList<LlamaBenchTest> Parse(string json)
    {
        LlamaBenchEntry[] entries = Deserialize(json);
        return entries.Length == 0 ? throw new EngineException("llama-bench reports no test") : [.. entries.Select(ToTest)];
    }

    /// <summary>Backends in a list of devices, lowercase and once each: <c>  CUDA0: NVIDIA H100 (81559 MiB, 80000 MiB free)</c>.</summary>
    public static IReadOnlyList<string> Backends(string list) =>
        [
            .. Device()
                .Matches(list)
                .Select(match => match.Groups["backend"].Value.ToLowerInvariant())
                .Select(name => name == "mtl" ? "metal" : name)
                .Distinct(),
        ];

    [GeneratedRegex(
        @"^[ \t]+(?<backend>[A-Za-z]+)\d*:",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Device();

    private static LlamaBenchEntry[] Deserialize(string json)
    {
        if (string.IsNullOrWhiteSpace(json))
        {
            throw new EngineException("llama-bench printed nothing");
        }

        try
        {
            return JsonSerializer.Deserialize(json, LlamaBenchJson.Default.LlamaBenchEntryArray) is { } entries && !entries.Contains(null)
                ? entries
                : throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NotSupportedException or ArgumentException)
        {
            string place = e is JsonException { Path: { Length: > 1 } path } ? $" (at {ProgramText.OneLine(path)})" : "";
            string beginning = ProgramText.OneLine(json[..Math.Min(json.Length, 60)]);
            throw new EngineException($"llama-bench printed '{beginning}'{place}, which is not its JSON report", e);
        }
    }

    private static LlamaBenchTest ToTest(LlamaBenchEntry entry)
    {
        double[] times = Samples(entry.SamplesNs, "samples_ns", 1, LongestNs);
        double[] rates = Samples(entry.SamplesTs, "samples_ts", SlowestTps, FastestTps);
        if (times.Length != rates.Length)
        {
            throw new EngineException($"llama-bench reports {times.Length} samples_ns and {rates.Length} samples_ts; they must be as many");
        }

        return new LlamaBenchTest
        {
            BuildCommit = Text(entry.BuildCommit, "build_commit"),
            BuildNumber = entry.BuildNumber ?? throw Missing("build_number"),
            Backends = Text(entry.Backends, "backends"),
            GpuInfo = ProgramText.OneLine(entry.GpuInfo ?? ""),
            ModelType = ProgramText.OneLine(entry.ModelType ?? ""),
            Threads = entry.NThreads is > 0 and <= LargestCount ? entry.NThreads : null,
            GpuLayers = entry.NGpuLayers,
            PromptTokens = entry.NPrompt ?? throw Missing("n_prompt"),
            NewTokens = entry.NGen ?? throw Missing("n_gen"),
            Depth = entry.NDepth,
            SamplesNs = times,
            SamplesTps = rates,
        };
    }

    private static double[] Samples(double[]? values, string name, double least, double most)
    {
        if (values is null or [])
        {
            throw Missing(name);
        }

        return values.All(value => value >= least && value <= most)
            ? values
            : throw new EngineException(
                $"llama-bench reports {name} that cannot be true: {values.First(value => !(value >= least && value <= most))}"
            );
    }

    private static string Text(string? text, string name) =>
        ProgramText.OneLine(text ?? "") is { Length: > 0 } line ? line : throw Missing(name);

    private static EngineException Missing(string name) =>
        new($"llama-bench reports a test without {name}; take a version of 2025 or newer");
}

/// <summary>A test as it is printed; anything may be absent.</summary>
internal sealed record LlamaBenchEntry
{
    public string? BuildCommit { get; init; }

    public int? BuildNumber { get; init; }

    public string? Backends { get; init; }

    public string? GpuInfo { get; init; }

    public string? ModelType { get; init; }

    public int? NThreads { get; init; }

    public int? NGpuLayers { get; init; }

    public int? NPrompt { get; init; }

    public int? NGen { get; init; }

    public int? NDepth { get; init; }

    public double[]? SamplesNs { get; init; }

    public double[]? SamplesTs { get; init; }
}

/// <summary>Reads without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LlamaBenchEntry[]))]
internal sealed partial class LlamaBenchJson : JsonSerializerContext;
