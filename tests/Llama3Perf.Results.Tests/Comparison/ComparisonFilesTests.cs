using System.Text.Json;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Tests.Files;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Comparison;

public sealed class ComparisonFilesTests
{
    private static readonly RunComparison s_comparison = RunComparison.Of(
        [Run("a", [Case, Case with { MaxLength = 700 }]), Run("b|c", [Case], slower: 1.1).In(e => e with { OrtVersion = "1.24,4" })],
        new ComparisonOptions { Metrics = ["decode_tps", "ttft_ms"] }
    );

    [Fact]
    public void The_markdown_shows_every_side_and_what_is_not_there()
    {
        string[] lines = ComparisonTable.Markdown(s_comparison).Split('\n');
        Assert.Equal("# Comparison", lines[0]);
        Assert.Contains("runs over ort_version, worst first", lines[2], StringComparison.Ordinal);
        int table = Array.FindIndex(lines, line => line.StartsWith("| case ", StringComparison.Ordinal));
        Assert.Contains("ort_version=1.31.1 (baseline)", lines[table], StringComparison.Ordinal);
        Assert.Contains("regression", lines[table + 2], StringComparison.Ordinal);
        Assert.Contains("weights are synthetic", string.Join(' ', lines), StringComparison.Ordinal);
        Assert.Contains(
            lines,
            line =>
                line.StartsWith(
                    "- not compared: llama-125m-int4-b32/ort-cpu/pp512/l700/t2 in ort_version=1.24,4: not in this run",
                    StringComparison.Ordinal
                )
        );
        Assert.All(
            lines.Where(line => line.StartsWith('|')),
            line => Assert.Equal(lines[table].Count(c => c == '|'), line.Count(c => c == '|'))
        );
    }

    [Fact]
    public void The_csv_has_a_row_for_every_figure()
    {
        string[] lines = ComparisonFiles.Csv(s_comparison).TrimEnd('\n').Split('\n');
        string[] header = lines[0].Split(',');
        Assert.Equal("schema_version", header[0]);

        // Two metrics of one case on both sides and of one on the baseline alone.
        Assert.Equal(1 + 6, lines.Length);
        Assert.Equal(2, lines.Count(line => line.Contains("\"ort_version=1.24,4\"", StringComparison.Ordinal)));
        Assert.Equal(4, lines.Count(line => line.Contains(",true,3,15,", StringComparison.Ordinal)));
        Assert.DoesNotContain('\r', ComparisonFiles.Csv(s_comparison));
    }

    [Fact]
    public void The_json_holds_the_same_figures()
    {
        JsonElement json = JsonDocument.Parse(ComparisonFiles.Json(s_comparison)).RootElement;
        Assert.Equal("ort_version", json.GetProperty("vary")[0].GetString());
        Assert.Equal("1.24,4", json.GetProperty("sides")[1].GetProperty("ort_version").GetString());
        JsonElement cell = json.GetProperty("rows")[0].GetProperty("cells")[1];
        Assert.Equal("regression", cell.GetProperty("verdict").GetString());
        Assert.Equal(s_comparison.Rows[0].Cells[1]!.Judgement!.Ratio.Ratio, cell.GetProperty("ratio").GetDouble());
        Assert.Equal(2, cell.GetProperty("ratio_interval").GetArrayLength());
        Assert.Equal("not in this run", json.GetProperty("not_compared")[0].GetProperty("reason").GetString());
    }

    [Fact]
    public void The_files_are_written_whole_and_nothing_beside_them()
    {
        using TestFolder folder = new();
        IReadOnlyList<string> paths = ComparisonFiles.Write(s_comparison, folder.File("new", "folder"));
        Assert.Equal(paths.Order(), Directory.GetFiles(folder.File("new", "folder")).Order());
        Assert.Equal(ComparisonFiles.Csv(s_comparison), File.ReadAllText(paths[1]));

        File.WriteAllText(folder.File("file"), "");
        Assert.Contains(
            "cannot be written",
            Assert.Throws<RunFileException>(() => ComparisonFiles.Write(s_comparison, folder.File("file"))).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.0123456, "0.01235")]
    [InlineData(12.3456, "12.35")]
    [InlineData(24012.6, "24013")]
    [InlineData(1e10, "10000000000")]
    public void Numbers_have_four_digits_and_no_exponent(double value, string expected) => Assert.Equal(expected, Figure.Text(value));
}
