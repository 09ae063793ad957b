using System.Text.Json.Nodes;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>What a conversion could not store as it was; <c>conversion.json</c> of a converted folder.</summary>
/// <param name="Overflows">Weights beyond float16's range, stored as 65504 or -65504.</param>
/// <param name="NaNs">Weights that are not a number, stored as 0.</param>
/// <param name="Infinities">Infinite weights, stored as the largest number.</param>
public sealed record ConversionReport(long Overflows, long NaNs, long Infinities)
{
    private const string FileName = "conversion.json";

    /// <summary>Quantization scales of a GGUF file; 0 in other folders.</summary>
    public long Scales { get; init; }

    /// <summary>Those of them that were rounded to float16, which is the only type of scales in GGUF.</summary>
    public long RoundedScales { get; init; }

    /// <summary>The report of a folder, or null for one that was not converted from a checkpoint.</summary>
    /// <exception cref="ModelException">The file is damaged.</exception>
    public static ConversionReport? Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            return null;
        }

        JsonField report = JsonField.ReadFile(file);
        return new ConversionReport(
            report["weights_beyond_float16"].Integer(minimum: 0),
            report["nan_weights"].Integer(minimum: 0),
            report["infinite_weights"].Integer(minimum: 0)
        )
        {
            Scales = report.Find("scales")?.Integer(minimum: 0) ?? 0,
            RoundedScales = report.Find("scales_rounded_to_float16")?.Integer(minimum: 0) ?? 0,
        };
    }

    /// <summary>Null when all weights were stored as they were, else a sentence about those that were not.</summary>
    public string? Warning =>
        (Overflows, NaNs + Infinities) switch
        {
            (0, 0) => null,
            (_, 0) => $"{Overflows} weights are beyond float16's range and were stored as 65504 or -65504",
            _ => $"{NaNs} NaN weights were stored as 0, {Infinities} infinite ones and {Overflows} beyond float16's range as the largest "
                + "number",
        };

    internal void Write(string folder)
    {
        var json = new JsonObject
        {
            ["weights_beyond_float16"] = Overflows,
            ["nan_weights"] = NaNs,
            ["infinite_weights"] = Infinities,
        };
        if (Scales > 0)
        {
            json["scales"] = Scales;
            json["scales_rounded_to_float16"] = RoundedScales;
        }

        File.WriteAllText(Path.Combine(folder, FileName), FolderJson.Text(json));
    }
}
