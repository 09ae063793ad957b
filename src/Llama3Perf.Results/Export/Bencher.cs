using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Export;

/// <summary>
/// Bencher Metric Format: benchmark, measure, <c>value</c> with <c>lower_value</c> and <c>upper_value</c>, which are the smallest and the
/// largest
/// iteration here. Measures have the names of the columns, <c>decode_tps</c>; Bencher makes those that it does not know.
/// See https://bencher.dev/docs/reference/bencher-metric-format.
/// </summary>
internal static class Bencher
{
    /// <summary>The one file.</summary>
    public static IReadOnlyList<ExportedFile> Files(Run run)
    {
        IReadOnlyList<ExportedMetric> metrics = ExportedMetric.Of(run);
        return
        [
            new ExportedFile(
                "bencher.json",
                ExportJson.Write(json =>
                {
                    json.WriteStartObject();
                    foreach (IGrouping<string, ExportedMetric> benchmark in metrics.GroupBy(metric => metric.CaseName))
                    {
                        json.WriteStartObject(benchmark.Key);
                        foreach (ExportedMetric metric in benchmark)
                        {
                            json.WriteStartObject(metric.Name);
                            json.WriteNumber("value", metric.Value);
                            if (metric.Statistic("_min") is { } lower && metric.Statistic("_max") is { } upper)
                            {
                                json.WriteNumber("lower_value", lower);
                                json.WriteNumber("upper_value", upper);
                            }

                            json.WriteEndObject();
                        }

                        json.WriteEndObject();
                    }

                    json.WriteEndObject();
                })
            ),
        ];
    }
}
