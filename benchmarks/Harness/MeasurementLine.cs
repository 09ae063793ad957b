using System.Text.Json;
using System.Text.Json.Serialization;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// One line that the measuring process prints for the suite: <c>// L3P {json}</c>. BenchmarkDotNet carries lines that begin with
/// <c>//</c> from a child process to <c>ExecuteResult.PrefixedLines</c>, so that each launch keeps its own.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(LaunchStarted), "started")]
[JsonDerivedType(typeof(WorkKnown), "work")]
[JsonDerivedType(typeof(IterationMeasured), "iteration")]
[JsonDerivedType(typeof(LaunchEnded), "ended")]
[JsonDerivedType(typeof(LaunchFailed), "failed")]
internal abstract record MeasurementLine
{
    private const string Prefix = "// L3P ";

    public string Format() => Prefix + JsonSerializer.Serialize(this, MeasurementJson.Default.MeasurementLine);

    /// <summary>The measurement in a line, or null for any other line.</summary>
    public static MeasurementLine? Parse(string line) => line.StartsWith(Prefix, StringComparison.Ordinal)
        ? JsonSerializer.Deserialize(line.AsSpan(Prefix.Length), MeasurementJson.Default.MeasurementLine)
        : null;
}

/// <summary>The model is loaded. The load time is null when a model of an earlier case was still there.</summary>
internal sealed record LaunchStarted(double? ModelLoadMs, EngineDescription Engine, IReadOnlyList<LoadedLibrary> Libraries) : MeasurementLine;

/// <summary>What one operation of a benchmark beside the main job handles: amounts by unit, <c>tokens</c> or <c>bytes</c>.</summary>
internal sealed record WorkKnown(IReadOnlyDictionary<string, double> PerOperation) : MeasurementLine;

/// <summary>One generation is done.</summary>
internal sealed record IterationMeasured(bool IsWarmUp, GenerationResult Result, long? PeakRssBytes) : MeasurementLine;

/// <summary>All iterations are done.</summary>
internal sealed record LaunchEnded(long? PeakRssBytes, long? PeakGpuBytes) : MeasurementLine;

/// <summary>The launch broke off.</summary>
internal sealed record LaunchFailed(string Error) : MeasurementLine;

[JsonSourceGenerationOptions(IgnoreReadOnlyProperties = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MeasurementLine))]
internal sealed partial class MeasurementJson : JsonSerializerContext;
