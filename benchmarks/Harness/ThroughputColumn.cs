using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Parameters;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Jobs;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Amounts per second of the benchmarks beside the main job, and the peak memory of their processes.</summary>
internal static class ThroughputColumn
{
    public static IColumn[] All { get; } =
    [
        new ReportColumn("tokens/s", "Tokens of the text over the mean time", (benchmark, report) => PerSecond(benchmark, report, "tokens", 1, "0")),
        new ReportColumn("GB/s", "Bytes handled (1e9) over the mean time", (benchmark, report) => PerSecond(benchmark, report, "bytes", 1e-9, "0.000")),
        new ReportColumn("Peak RSS", "Peak resident memory of the measuring process, MB (1e6 bytes)", PeakResident),
    ];

    private static string? PerSecond(BenchmarkCase benchmark, BenchmarkReport report, string unit, double scale, string format)
    {
        if (report.ResultStatistics is not { } statistics
            || !benchmark.Descriptor.Type.IsAssignableTo(typeof(IMeasuredWork))
            || !WorkOf(benchmark).TryGetValue(unit, out double amount))
        {
            return null;
        }

        return (amount * scale / (statistics.Mean / 1e9)).ToString(format, System.Globalization.CultureInfo.InvariantCulture);
    }

    // The work follows from the parameters, so it is worked out here as the measuring process did.
    private static IReadOnlyDictionary<string, double> WorkOf(BenchmarkCase benchmark)
    {
        object instance = Activator.CreateInstance(benchmark.Descriptor.Type)!;
        foreach (ParameterInstance parameter in benchmark.Parameters.Items)
        {
            benchmark.Descriptor.Type.GetProperty(parameter.Name)!.SetValue(instance, parameter.Value);
        }

        benchmark.Descriptor.GlobalSetupMethod?.Invoke(instance, null);
        return ((IMeasuredWork)instance).WorkPerOperation();
    }

    private static string? PeakResident(BenchmarkCase benchmark, BenchmarkReport report)
    {
        long? peak = benchmark.Descriptor.Type == typeof(GenerationBenchmarks)
            ? null
            : OutcomeReader.Launches(report).SelectMany(lines => lines).OfType<LaunchEnded>().Max(line => line.PeakRssBytes);
        return peak is { } bytes ? (bytes / 1e6).ToString("0", System.Globalization.CultureInfo.InvariantCulture) : null;
    }
}
