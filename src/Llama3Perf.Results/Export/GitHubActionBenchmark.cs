using System.Globalization;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Export;

/// <summary>
/// The custom formats of github-action-benchmark: an array of <c>name, unit, value, range, extra</c>. One file of that tool holds
/// numbers of one direction, so there are two, for <c>customBiggerIsBetter</c> and <c>customSmallerIsBetter</c>; each is a step of its own
/// with a benchmark name of its own. See https://github.com/benchmark-action/github-action-benchmark#readme.
/// </summary>
internal static class GitHubActionBenchmark
{
    /// <summary>Both files; a direction without numbers has none.</summary>
    public static IReadOnlyList<ExportedFile> Files(Run run)
    {
        IReadOnlyList<ExportedMetric> metrics = ExportedMetric.Of(run);
        return
        [
            .. File("bigger-is-better.json", metrics.Where(metric => metric.Column.Direction == Direction.HigherIsBetter)),
            .. File("smaller-is-better.json", metrics.Where(metric => metric.Column.Direction == Direction.LowerIsBetter)),
        ];
    }

    private static IEnumerable<ExportedFile> File(string name, IEnumerable<ExportedMetric> metrics)
    {
        ExportedMetric[] entries = [.. metrics];
        return entries.Length == 0
            ? []
            :
            [
                new ExportedFile(
                    name,
                    ExportJson.Write(json =>
                    {
                        json.WriteStartArray();
                        foreach (ExportedMetric metric in entries)
                        {
                            json.WriteStartObject();
                            json.WriteString("name", $"{metric.CaseName}/{metric.Name}");
                            json.WriteString("unit", metric.Column.Unit);
                            json.WriteNumber("value", metric.Value);
                            if (metric.Statistic("_stddev") is { } deviation)
                            {
                                json.WriteString("range", "± " + deviation.ToString(CultureInfo.InvariantCulture));
                            }

                            json.WriteString("extra", Extra(metric.Row));
                            json.WriteEndObject();
                        }

                        json.WriteEndArray();
                    })
                ),
            ];
    }

    /// <summary>The tooltip of a point: how it was measured.</summary>
    private static string Extra(ResultRow row)
    {
        string?[] lines =
        [
            $"run {row.Run.RunId}, {row.SampleCount} iterations in {row.LaunchCount} launches",
            row.Case.Weights == "synthetic" ? "synthetic weights: speed is real, text is noise" : null,
            row.Environment.CpuName,
            row.Environment.GpuName is { } gpu ? $"{gpu}, driver {row.Environment.GpuDriverVersion ?? "unknown"}" : null,
            row.Environment.OrtVersion is { } ort ? $"ONNX Runtime {ort}" : null,
            row.Environment.GenAiVersion is { } genAi ? $"ONNX Runtime GenAI {genAi}" : null,
        ];
        return string.Join('\n', lines.OfType<string>());
    }
}
