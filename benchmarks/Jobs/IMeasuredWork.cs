namespace Llama3Perf.Benchmarks.Jobs;

/// <summary>A benchmark class whose operation handles a known amount of something; the suite shows it per second.</summary>
internal interface IMeasuredWork
{
    /// <summary>Amounts of one operation, after the setup: <c>tokens</c>, <c>bytes</c>.</summary>
    IReadOnlyDictionary<string, double> WorkPerOperation();
}
