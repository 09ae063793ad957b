using System.Globalization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models.Folders;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>Shows a diagnosis: the largest difference of each layer, and the first node that departs.</summary>
internal static class DiagnosisDisplay
{
    public static void Show(string what, Diagnosis diagnosis)
    {
        Screen.Table(
            new TextTable(
                [
                    new("step", false),
                    new("layer", false),
                    new("largest difference", true),
                    new("node", false),
                    new("type", false),
                    new("", false),
                ],
                [.. diagnosis.Differences.GroupBy(found => (found.Step, found.Tensor.Layer)).Select(layer => Row(layer, diagnosis))]
            )
        );
        string limit = diagnosis.Limit.ToString(CultureInfo.InvariantCulture);
        Console.WriteLine(
            $"{diagnosis.Differences.Count} tensors compared, {diagnosis.Unmatched} without their like; the limit is {limit} of a tensor's "
                + "spread."
        );
        Console.WriteLine(
            diagnosis.First is { } first
                ? $"DEPARTS: {what}: first in {Place(first.Tensor)} of the {first.Step}: {first.Tensor.Operator} {first.Tensor.Node} "
                    + $"({first.Tensor.Role}), by {Number(first.Difference)}."
                : $"AGREES: {what}: no node departs."
        );
    }

    private static string[] Row(IEnumerable<TensorDifference> layer, Diagnosis diagnosis)
    {
        TensorDifference[] found = [.. layer];
        TensorDifference worst = found.FirstOrDefault(one => double.IsNaN(one.Difference)) ?? found.MaxBy(one => one.Difference)!;
        return
        [
            worst.Step,
            worst.Tensor.Layer is { } number ? $"{number}" : "outside",
            Number(worst.Difference),
            worst.Tensor.Role,
            worst.Tensor.Operator,
            worst.Difference <= diagnosis.Limit ? "" : "departs",
        ];
    }

    private static string Place(ProbedTensor tensor) => tensor.Layer is { } layer ? $"layer {layer}" : "what is outside the layers";

    private static string Number(double value) => double.IsNaN(value) ? "NaN" : value.ToString("G3", CultureInfo.InvariantCulture);
}
