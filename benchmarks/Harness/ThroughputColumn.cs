using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Amounts per second of the benchmarks beside the main job, and the peak memory of their processes, as those processes told
/// them.</summary>
internal static class ThroughputColumn
{
    public static IColumn[] All { get; } =
    [
        new ReportColumn("tokens/s", "Tokens of the text over the mean time", (_, report) => PerSecond(report, "tokens", 1, "0")),
        new ReportColumn("GB/s", "Bytes handled (1e9) over the mean time", (_, report) => PerSecond(report, "bytes", 1e-9, "0.000")),
        new ReportColumn("Peak RSS", "Peak resident memory of the measuring process, MB (1e6 bytes)", (_, report) => PeakResident(report)),
    ];

    private static string? PerSecond(BenchmarkReport report, string unit, double scale, string format) =>
        report.ResultStatistics is { } statistics
        && Lines(report).OfType<WorkKnown>().FirstOrDefault()?.PerOperation.TryGetValue(unit, out double amount) == true
            ? (amount * scale / (statistics.Mean / 1e9)).ToString(format, CultureInfo.InvariantCulture)
            : null;

    // The main job has a column of its own.
    private static string? PeakResident(BenchmarkReport report) =>
        PlannedCases.Of(report.BenchmarkCase) is null && Lines(report).OfType<LaunchEnded>().Max(line => line.PeakRssBytes) is { } bytes
            ? (bytes / 1e6).ToString("0", CultureInfo.InvariantCulture)
            : null;

    private static IEnumerable<MeasurementLine> Lines(BenchmarkReport report) => OutcomeReader.Launches(report).SelectMany(lines => lines);
}
