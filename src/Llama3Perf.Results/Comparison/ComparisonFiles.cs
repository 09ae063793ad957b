using System.Globalization;
using System.Text.Json;
using CsvHelper;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Comparison;

/// <summary>A comparison as files: <c>comparison.md</c>, <c>comparison.csv</c> and <c>comparison.json</c>.</summary>
public static class ComparisonFiles
{
    private const int SchemaVersion = 2;

    /// <summary>Columns of the CSV: one row for each case, metric and side.</summary>
    private static readonly (string Name, Func<Cell, string?> Text)[] s_columns =
    [
        ("schema_version", _ => Text(SchemaVersion)),
        ("case_id", cell => cell.Row.CaseId),
        ("metric", cell => cell.Row.Metric.Name),
        ("unit", cell => cell.Row.Metric.Unit),
        ("weights", cell => cell.Row.Case.Weights),
        ("side", cell => cell.Side.Label),
        ("run_id", cell => cell.Side.Run.Identity.RunId),
        ("is_baseline", cell => cell.IsBaseline ? "true" : "false"),
        ("n_launches", cell => Text(cell.Figures.LaunchCount)),
        ("n_samples", cell => Text(cell.Figures.SampleCount)),
        ("median", cell => Text(cell.Figures.Median.Median)),
        ("median_low", cell => Text(cell.Figures.Median.Interval?.Low)),
        ("median_high", cell => Text(cell.Figures.Median.Interval?.High)),
        ("ratio", cell => Text(cell.Figures.Judgement?.Ratio.Ratio)),
        ("ratio_low", cell => Text(cell.Figures.Judgement?.Interval?.Low)),
        ("ratio_high", cell => Text(cell.Figures.Judgement?.Interval?.High)),
        ("spread", cell => SpreadText(cell.Figures.Judgement)),
        ("fitness", cell => cell.Figures.Unsteady),
        ("verdict", cell => cell.Figures.Judgement is { } judged ? ComparisonTable.Word(judged.Verdict) : null),
        ("reason", cell => cell.Figures.Judgement?.Reason),
    ];

    /// <summary>Writes the three files.</summary>
    /// <returns>Their paths.</returns>
    /// <exception cref="RunFileException">The folder cannot be written.</exception>
    public static IReadOnlyList<string> Write(RunComparison comparison, string folder)
    {
        (string Name, string Text)[] files =
        [
            ("comparison.md", ComparisonTable.Markdown(comparison)),
            ("comparison.csv", Csv(comparison)),
            ("comparison.json", Json(comparison)),
        ];
        foreach ((string name, string text) in files)
        {
            TextFile.Write(Path.Combine(folder, name), text);
        }

        return [.. files.Select(file => Path.Combine(folder, file.Name))];
    }

    /// <summary>The figures, one row for each case, metric and side, in the order of the table. Empty is unknown.</summary>
    public static string Csv(RunComparison comparison)
    {
        StringWriter text = new(CultureInfo.InvariantCulture);
        using (CsvWriter csv = CsvWriter.Create(text, CsvWriterOptions.Default with { NewLine = "\n" }, leaveOpen: true))
        {
            WriteRow(csv, s_columns.Select(column => column.Name));
            foreach (Cell cell in Cells(comparison))
            {
                WriteRow(csv, s_columns.Select(column => SpreadsheetText.Guard(column.Text(cell) ?? "")));
            }
        }

        return text.ToString();
    }

    /// <summary>Everything: sides, figures, and the cases that could not be compared.</summary>
    public static string Json(RunComparison comparison) =>
        ExportJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("schema_version", SchemaVersion);
            json.WriteNumber("threshold", comparison.Options.Threshold);
            json.WriteNumber("alpha", comparison.Options.Alpha);
            WriteArray(json, "vary", comparison.Vary, json.WriteStringValue);
            WriteArray(json, "sides", comparison.Sides, side => WriteSide(json, side, comparison.Vary));
            WriteArray(json, "rows", comparison.Rows, row => WriteRow(json, row, comparison));
            WriteArray(
                json,
                "not_compared",
                comparison.Unmatched,
                unmatched =>
                {
                    json.WriteStartObject();
                    json.WriteString("side", unmatched.Side);
                    json.WriteString("case_id", unmatched.CaseId);
                    json.WriteString("reason", unmatched.Reason);
                    json.WriteEndObject();
                }
            );
            json.WriteEndObject();
        });

    private static void WriteSide(Utf8JsonWriter json, ComparedSide side, IReadOnlyList<string> vary)
    {
        json.WriteStartObject();
        json.WriteString("label", side.Label);
        json.WriteString("run_id", side.Run.Identity.RunId);
        for (int i = 0; i < vary.Count; i++)
        {
            json.WriteString(vary[i], side.Varied[i]);
        }

        json.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter json, ComparedMetric row, RunComparison comparison)
    {
        json.WriteStartObject();
        json.WriteString("case_id", row.CaseId);
        json.WriteString("metric", row.Metric.Name);
        json.WriteString("unit", row.Metric.Unit);
        json.WriteString("weights", row.Case.Weights);
        WriteArray(
            json,
            "cells",
            row.Cells.Zip(comparison.Sides).Where(pair => pair.First is not null),
            pair => WriteCell(json, pair.First!, pair.Second)
        );
        json.WriteEndObject();
    }

    private static void WriteCell(Utf8JsonWriter json, ComparedCell cell, ComparedSide side)
    {
        json.WriteStartObject();
        json.WriteString("side", side.Label);
        json.WriteNumber("n_launches", cell.LaunchCount);
        json.WriteNumber("n_samples", cell.SampleCount);
        json.WriteNumber("median", cell.Median.Median);
        WriteInterval(json, "median_interval", cell.Median.Interval);
        if (cell.Unsteady is { } unsteady)
        {
            json.WriteString("fitness", unsteady);
        }

        if (cell.Judgement is { } judged)
        {
            WriteJudgement(json, judged);
            json.WriteString("verdict", ComparisonTable.Word(judged.Verdict));
        }

        json.WriteEndObject();
    }

    /// <summary>The figures of a judgement, for this file and the gate's.</summary>
    internal static void WriteJudgement(Utf8JsonWriter json, MetricJudgement judged)
    {
        json.WriteNumber("ratio", judged.Ratio.Ratio);
        WriteInterval(json, "ratio_interval", judged.Interval);
        if (SpreadText(judged) is { } spread)
        {
            json.WriteString("spread", spread);
        }

        if (judged.AdjustedP is { } p)
        {
            json.WriteNumber("p_adjusted", p);
        }

        if (judged.Reason is { } reason)
        {
            json.WriteString("reason", reason);
        }
    }

    /// <summary>Where the spread between launches comes from: launches, noise record, or null when it is unknown.</summary>
    private static string? SpreadText(MetricJudgement? judged) =>
        judged?.Ratio.Spread switch
        {
            SpreadSource.Launches => "launches",
            SpreadSource.NoiseRecord => "noise record",
            _ => null,
        };

    internal static void WriteInterval(Utf8JsonWriter json, string name, Interval? interval)
    {
        if (interval is not null)
        {
            WriteArray(json, name, [interval.Low, interval.High], json.WriteNumberValue);
        }
    }

    internal static void WriteArray<TItem>(Utf8JsonWriter json, string name, IEnumerable<TItem> items, Action<TItem> write)
    {
        json.WriteStartArray(name);
        foreach (TItem item in items)
        {
            write(item);
        }

        json.WriteEndArray();
    }

    private static IEnumerable<Cell> Cells(RunComparison comparison) =>
        from row in comparison.Rows
        from side in Enumerable.Range(0, row.Cells.Count)
        where row.Cells[side] is not null
        select new Cell(row, comparison.Sides[side], row.Cells[side]!, side == 0);

    private static void WriteRow(CsvWriter csv, IEnumerable<string> fields)
    {
        foreach (string field in fields)
        {
            csv.WriteField(field);
        }

        csv.EndRecord();
    }

    private static string? Text<TNumber>(TNumber number)
        where TNumber : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);

    private static string? Text(double? number) => number is { } known ? Text<double>(known) : null;

    private sealed record Cell(ComparedMetric Row, ComparedSide Side, ComparedCell Figures, bool IsBaseline);
}
