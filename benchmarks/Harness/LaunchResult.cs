using System.Globalization;
using System.Text.Json.Serialization;
using BenchmarkDotNet.Toolchains.Results;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>One launch of one case that has ended, well or not: what is kept of it until the run is complete.</summary>
/// <param name="CaseId">The case.</param>
/// <param name="Index">Number of the launch, from 1.</param>
/// <param name="ExitCode">Of the measuring process; null where it is unknown.</param>
/// <param name="Lines">What it printed for the suite, as printed.</param>
/// <param name="Measurements">BenchmarkDotNet's own measurements, as it prints them.</param>
internal sealed record LaunchResult(
    string CaseId,
    int Index,
    int? ExitCode,
    IReadOnlyList<string> Lines,
    IReadOnlyList<string> Measurements
)
{
    private IReadOnlyList<MeasurementLine>? _parsed;

    /// <summary>The lines, read.</summary>
    [JsonIgnore]
    public IReadOnlyList<MeasurementLine> Parsed => _parsed ??= [.. Lines.Select(MeasurementLine.Parse).OfType<MeasurementLine>()];

    public static LaunchResult Of(string caseId, int index, ExecuteResult result) =>
        new(
            caseId,
            index,
            result.ExitCode,
            [.. result.PrefixedLines.Where(MeasurementLine.IsOne)],
            [.. result.Measurements.Select(measurement => measurement.ToString())]
        );

    /// <summary>As BenchmarkDotNet wants to have it.</summary>
    public ExecuteResult ToExecuteResult() => new(true, ExitCode, Environment.ProcessId, Measurements, Lines, [], Index);

    /// <summary>Why the launch is worth nothing; null when it is whole.</summary>
    public string? Failure()
    {
        string? unreadable = Parsed.OfType<LineUnreadable>().FirstOrDefault()?.Text;
        if (Parsed.OfType<LaunchFailed>().FirstOrDefault() is { } failed)
        {
            return failed.Error;
        }

        if (ExitCode is not (0 or null))
        {
            string where = unreadable is null ? "" : $", after the line '{unreadable}'";
            return $"the measuring process ended with {Inference.Machine.ProcessEnd.Describe(ExitCode.Value)}{where}";
        }

        if (unreadable is not null)
        {
            return $"the measuring process printed a line that cannot be read: '{unreadable}'";
        }

        return Parsed.Any(line => line is IterationMeasured) && !Parsed.Any(line => line is LaunchEnded)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the measuring process ended with exit code 0 after {Parsed.Count(line => line is IterationMeasured { IsWarmUp: false })} "
                    + $"iterations, before its work was done"
            )
            : null;
    }
}
