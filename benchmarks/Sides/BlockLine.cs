using System.Globalization;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Models;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>What a person sees after each block: where the case stands, and how much is left.</summary>
internal static class BlockLine
{
    public static string Of(string name, int round, SequentialGate gate, Budget budget, TimeSpan elapsed)
    {
        SequentialCheck[] checks = [.. gate.Checks.Where(check => check.CaseId == name)];
        string unsteady = checks[0].UnsteadyBlocks > 0 ? $" ({checks[0].UnsteadyBlocks} unsteady)" : "";
        string left = budget.Time is { } time
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (time - elapsed).TotalMinutes):0.0} min")
            : $"{budget.Count - round} blocks";
        return $"{name}  block {round}{unsteady}: {string.Join(", ", checks.Select(Text))}; {gate.Undecided.Count} cases open, {left} left";
    }

    private static string Text(SequentialCheck check)
    {
        string ratio = check.Ratio is { } known ? known.ToString("0.000", CultureInfo.InvariantCulture) : "-";
        string interval = check.Interval is { } i ? string.Create(CultureInfo.InvariantCulture, $" [{i.Low:0.000}, {i.High:0.000}]") : "";
        return $"{check.Metric.Name} {ratio}{interval}{(check.IsDecided ? $" {Word(check.Verdict)}" : "")}";
    }

    private static string Word(MetricVerdict verdict) => verdict == MetricVerdict.Regression ? "RED" : verdict.Name();
}
