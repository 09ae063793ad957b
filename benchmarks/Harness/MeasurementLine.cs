using System.Text.Json;
using System.Text.Json.Serialization;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Conditions;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// One line that the measuring process prints for the suite: <c>// L3P {json}</c>. BenchmarkDotNet carries lines that begin with
/// <c>//</c> from a child process to <c>ExecuteResult.PrefixedLines</c>, so that each launch keeps its own.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ProcessStarted), "process")]
[JsonDerivedType(typeof(LaunchStarted), "started")]
[JsonDerivedType(typeof(WorkKnown), "work")]
[JsonDerivedType(typeof(WarmedUp), "warmed")]
[JsonDerivedType(typeof(TurnAwaited), "turn")]
[JsonDerivedType(typeof(TurnTaken), "taken")]
[JsonDerivedType(typeof(IterationMeasured), "iteration")]
[JsonDerivedType(typeof(LaunchEnded), "ended")]
[JsonDerivedType(typeof(LaunchFailed), "failed")]
[JsonDerivedType(typeof(ProgramMeasured), "program")]
internal abstract record MeasurementLine
{
    private const string Prefix = "// L3P ";

    public string Format() => Prefix + JsonSerializer.Serialize(this, MeasurementJson.Default.MeasurementLine);

    /// <summary>True for a line that a measuring process prints for the suite.</summary>
    public static bool IsOne(string line) => line.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The measurement in a line, or null for any other line. A process that dies may leave half a line, and a library may print
    /// into one.</summary>
    public static MeasurementLine? Parse(string line)
    {
        if (!IsOne(line))
        {
            return null;
        }

        try
        {
            return
                JsonSerializer.Deserialize(line.AsSpan(Prefix.Length), MeasurementJson.Default.MeasurementLine) is { } parsed
                && parsed.IsSane
                ? parsed
                : new LineUnreadable(ProgramText.OneLine(line));
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or InvalidOperationException)
        {
            return new LineUnreadable(ProgramText.OneLine(line));
        }
    }

    /// <summary>False where the numbers cannot be those of a measurement.</summary>
    [JsonIgnore]
    protected virtual bool IsSane => true;
}

/// <summary>A line that should be a measurement and is not: its launch has failed.</summary>
/// <param name="Text">Its beginning.</param>
internal sealed record LineUnreadable(string Text) : MeasurementLine;

/// <summary>The measuring process, which tells who it is before it loads a model.</summary>
internal sealed record ProcessStarted(int ProcessId) : MeasurementLine;

/// <summary>The model is loaded. The load time is null when a model of an earlier case was still there.</summary>
internal sealed record LaunchStarted(
    double? ModelLoadMs,
    EngineDescription Engine,
    IReadOnlyList<LoadedLibrary> Libraries,
    string? Priority = null
) : MeasurementLine;

/// <summary>What one operation of a benchmark beside the main job handles: amounts by unit, <c>tokens</c> or <c>bytes</c>.</summary>
internal sealed record WorkKnown(IReadOnlyDictionary<string, double> PerOperation) : MeasurementLine;

/// <summary>The warm-up is over.</summary>
internal sealed record WarmedUp(double Ms, int Iterations, bool IsSettled) : MeasurementLine;

/// <summary>The launch waits for its next turn.</summary>
/// <param name="HasEnough">Whether it has measured as much as a launch does.</param>
internal sealed record TurnAwaited(bool HasEnough) : MeasurementLine;

/// <summary>Its turn has come.</summary>
internal sealed record TurnTaken : MeasurementLine;

/// <summary>One generation is done, after so many in its place that were stopped and thrown away; the process holds
/// <paramref name="GpuBytes"/> of device memory after it, where the system tells.</summary>
internal sealed record IterationMeasured(
    bool IsWarmUp,
    GenerationResult Result,
    long? PeakRssBytes,
    MachineConditions? Conditions = null,
    int StoppedAttempts = 0,
    long? GpuBytes = null
) : MeasurementLine
{
    protected override bool IsSane =>
        Result is { PromptTokens: > 0, NewTokens.Length: > 0, PrefillMs: > 0 }
        && double.IsFinite(Result.PrefillMs)
        && Result.TokenMs.Length == Result.NewTokens.Length
        && Result.TokenMs[0] > 0
        && double.IsFinite(Result.TokenMs[^1])
        && Result.TokenMs.Zip(Result.TokenMs.Skip(1)).All(pair => pair.First <= pair.Second)
        && (Result.NewTokens.Length == 1 || Result.TokenMs[^1] > Result.TokenMs[0]);
}

/// <summary>All iterations are done.</summary>
internal sealed record LaunchEnded(long? PeakRssBytes, long? PeakGpuBytes) : MeasurementLine;

/// <summary>The launch broke off.</summary>
internal sealed record LaunchFailed(string Error) : MeasurementLine;

/// <summary>What a program that measures by itself reported of a launch.</summary>
/// <param name="Text">As its engine's family writes and reads it.</param>
internal sealed record ProgramMeasured(string Text) : MeasurementLine;

[JsonSourceGenerationOptions(
    IgnoreReadOnlyProperties = true,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(MeasurementLine))]
internal sealed partial class MeasurementJson : JsonSerializerContext;
