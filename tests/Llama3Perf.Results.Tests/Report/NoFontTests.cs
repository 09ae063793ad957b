using System.Xml.Linq;
using Llama3Perf.Results.Report;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Report;

/// <summary>Charts on a machine without fonts, where there is no typeface.</summary>
public sealed class NoFontTests
{
    private static readonly ChartFont? s_noFont = ChartFont.Of(regular: null, bold: null);

    [Fact]
    public void Svg_files_name_every_case_and_the_missing_png_files_are_said()
    {
        using TestFolder folder = new();
        Run run = ReportRuns.Of(6);
        ChartFiles files = ReportCharts.Write([run], folder.Path, s_noFont);

        Assert.Equal(files.Paths.Order(), Directory.GetFiles(folder.Path).Order());
        Assert.NotEmpty(files.Paths);
        AssertNamed(run, files.Paths.Select(path => XDocument.Load(path).Root!));
        Assert.Contains("no font", files.Note);
    }

    [Fact]
    public void The_charts_of_the_page_name_every_case()
    {
        Run run = ReportRuns.Of(6);
        AssertNamed(run, XDocument.Parse(HtmlReport.Page([run])).Descendants("svg"));
    }

    /// <summary>What ScottPlot draws as text depends on the machine's fonts; the rest does not.</summary>
    [Fact]
    public void No_text_is_drawn_with_a_font_of_the_machine()
    {
        ReportData data = ReportData.Of([ReportRuns.Of(2), ReportRuns.Of(2, 1, "32.0.15.7000")]);
        Assert.All(
            ReportChart.All(data),
            chart =>
            {
                using ChartSheet sheet = new(900);
                chart.Draw(sheet);
                Assert.DoesNotContain("<text", sheet.Svg());
                Assert.NotEmpty(sheet.Labels());
            }
        );
    }

    [Fact]
    public void Png_has_the_labels_in_the_font_of_the_machine()
    {
        ChartFont? font = ChartFont.OfMachine();
        Assert.SkipWhen(font is null, "this machine has no font");
        using ChartSheet empty = new(200);
        using ChartSheet named = new(200);
        empty.Y += 20;
        named.Lines("name", Palette.Ink);
        named.Y = empty.Y;
        Assert.NotEqual(empty.Png(font), named.Png(font));
    }

    /// <summary>A chart names what the cases of its group share once, and each bar what tells it apart.</summary>
    private static void AssertNamed(Run run, IEnumerable<XElement> charts)
    {
        string text = string.Concat(
            charts.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)
        );
        Assert.All(
            run.Cases.Where(outcome => outcome.Status == CaseStatus.Ok),
            outcome =>
            {
                Assert.Contains(outcome.Case.ModelName, text);
                Assert.Contains(outcome.Case.Precision, text);
                Assert.Contains(outcome.Case.PromptId, text);
            }
        );
    }
}
