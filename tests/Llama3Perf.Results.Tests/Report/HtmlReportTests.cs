using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Llama3Perf.Results.Report;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Report;

public sealed class HtmlReportTests
{
    private static readonly string[] s_drivers = ["32.0.15.6094", "32.0.15.7000", "32.0.15.10001"];

    private static Run[] DriverRuns(int cases) => [.. s_drivers.Select((driver, i) => ReportRuns.Of(cases, i, driver))];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(40)]
    public void Page_is_well_formed_and_names_every_case(int cases)
    {
        Run run = ReportRuns.Of(cases);
        XDocument page = XDocument.Parse(HtmlReport.Page([run]));

        string text = page.Root!.Value;
        Assert.All(run.Cases, outcome => Assert.Contains(outcome.CaseId, text));
        Assert.Equal(
            cases switch
            {
                0 => 0,
                1 => 10,
                _ => 16,
            },
            page.Descendants("svg").Count()
        );
    }

    [Fact]
    public void Unsteady_cases_have_their_reasons()
    {
        Run run = ReportRuns.Of(2);
        Assert.DoesNotContain("Unsteady cases", HtmlReport.Page([run]));
        run = run with
        {
            Cases =
            [
                run.Cases[0] with
                {
                    Samples =
                    [
                        .. run.Cases[0]
                            .Samples.Select(sample =>
                                sample with
                                {
                                    Conditions = new Conditions { WatchedMs = 9, ForeignCpuPercent = 40 },
                                }
                            ),
                    ],
                },
                run.Cases[1],
            ],
        };

        XElement section = XDocument
            .Parse(HtmlReport.Page([run]))
            .Descendants("section")
            .Single(section => section.Element("h2")!.Value == "Unsteady cases");

        Assert.Equal(
            [run.Cases[0].CaseId, "foreign load: others took 40 % of the processors"],
            section.Descendants("tbody").Single().Element("tr")!.Elements().Select(cell => cell.Value)
        );
    }

    [Fact]
    public void Charts_have_no_ids_that_another_chart_of_the_page_could_have_too()
    {
        string page = HtmlReport.Page(DriverRuns(2));
        Assert.Empty(XDocument.Parse(page).Descendants().Attributes("id"));
        Assert.DoesNotContain("url(", page);
    }

    [Fact]
    public void Page_loads_nothing()
    {
        string page = HtmlReport.Page(DriverRuns(2));
        Assert.DoesNotContain("http", page.Replace("http-equiv", "", StringComparison.Ordinal));
        Assert.DoesNotContain("@import", page);
        XElement script = Assert.Single(XDocument.Parse(page).Descendants("script"));
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script.Value)));
        Assert.Contains($"script-src 'sha256-{hash}'", page);
        Assert.DoesNotContain("<link", page);
        Assert.DoesNotContain("<img", page);
        Assert.Contains("default-src 'none'", page);
    }

    [Fact]
    public void Hostile_texts_stay_texts()
    {
        XDocument page = XDocument.Parse(HtmlReport.Page([ReportRuns.WithHostileTexts()]));
        Assert.DoesNotContain("alert", Assert.Single(page.Descendants("script")).Value);
        Assert.Empty(page.Descendants("img"));
        Assert.Contains(ReportRuns.Hostile, page.Root!.Value);
    }

    [Fact]
    public void Control_characters_and_half_pairs_do_not_break_the_page()
    {
        Run run = ReportRuns.Of(1);
        XDocument.Parse(HtmlReport.Page([run with { Cases = [run.Cases[0] with { CaseId = "a\u0000b\ud800c\uffff\u001b[31m" }] }]));
    }

    [Fact]
    public void Same_runs_give_the_same_page() => Assert.Equal(HtmlReport.Page(DriverRuns(3)), HtmlReport.Page(DriverRuns(3)));

    [Fact]
    public void Synthetic_weights_and_problems_are_said()
    {
        string text = XDocument.Parse(HtmlReport.Page([ReportRuns.Of(1)])).Root!.Value;
        Assert.Contains("Synthetic weights", text);
        Assert.Contains("segmentation fault", text);
        Assert.Contains("ask for it with --precision fp16", text);
        Assert.Contains("1 of 3 cases measured", text);
    }

    [Fact]
    public void Every_colour_of_a_chart_follows_light_and_dark()
    {
        XDocument page = XDocument.Parse(HtmlReport.Page(DriverRuns(2)));
        IEnumerable<string> colours = page.Descendants("svg")
            .Descendants()
            .Attributes()
            .Where(attribute => attribute.Name.LocalName is "fill" or "stroke")
            .Select(attribute => attribute.Value);
        Assert.NotEmpty(colours);
        Assert.All(colours.Distinct(), colour => Assert.True(colour == "none" || colour.StartsWith("var(--"), colour));
    }

    [Fact]
    public void Runs_that_differ_in_one_field_have_lines_over_it_in_the_order_of_versions()
    {
        Run[] runs = DriverRuns(1);
        string text = XDocument.Parse(HtmlReport.Page([runs[2], runs[0], runs[1]])).Root!.Value;
        Assert.Contains("compared over gpu_driver_version", text);
        string lines = text[text.IndexOf("over gpu_driver_version", text.IndexOf("compared over") + 20, StringComparison.Ordinal)..];
        int[] positions = [.. s_drivers.Select(driver => lines.IndexOf(driver, StringComparison.Ordinal))];
        Assert.Equal(positions.Order(), positions);
    }

    [Fact]
    public void Runs_that_differ_in_more_are_shown_with_a_warning()
    {
        Run other = ReportRuns.Of(2, 1, driver: "1") with
        {
            Environment = ReportRuns.Of(2).Environment with { OrtVersion = "1.30.0", GpuDriverVersion = "1" },
        };
        string text = XDocument.Parse(HtmlReport.Page([ReportRuns.Of(2), other])).Root!.Value;
        Assert.Contains("Read the differences with care", text);
        Assert.DoesNotContain("compared over", text);
    }

    [Fact]
    public void Several_runs_have_a_verdict_on_each_metric()
    {
        XDocument page = XDocument.Parse(HtmlReport.Page([ReportRuns.Of(1), ReportRuns.Of(1, 3, "32.0.15.7000")]));
        XElement section = page.Descendants("section").Single(found => found.Element("h2")!.Value == "Comparison");
        Assert.Equal(3, section.Descendants("tbody").Elements("tr").Count());
        Assert.Contains("faster", section.Value);
        Assert.DoesNotContain(
            "Comparison",
            XDocument.Parse(HtmlReport.Page([ReportRuns.Of(1)])).Descendants("h2").Select(heading => heading.Value)
        );
    }

    [Fact]
    public void The_same_run_twice_is_shown_twice() =>
        Assert.Contains("2 runs", XDocument.Parse(HtmlReport.Page([ReportRuns.Of(1), ReportRuns.Of(1)])).Root!.Value);

    [Fact]
    public void Of_five_thousand_cases_the_worst_and_the_chosen_are_shown_and_the_others_are_data()
    {
        Run run = ReportRuns.Of(1);
        CaseOutcome one = run.Cases.First(outcome => outcome.Status == CaseStatus.Ok);
        Run many = run with { Cases = [.. Enumerable.Range(0, 5000).Select(i => Named(one, $"case-{i:0000}", 1 + (i / 5000.0)))] };

        string page = HtmlReport.Page([many], new ReportOptions { Cases = ["case-4000"] });

        Assert.InRange(page.Length, 1, 5_000_000);
        XDocument parsed = XDocument.Parse(page);
        string[] rows =
        [
            .. parsed
                .Descendants("th")
                .Where(cell => (string?)cell.Attribute("scope") == "row")
                .Select(cell => cell.Value)
                .Where(text => text.StartsWith("case-", StringComparison.Ordinal))
                .Distinct(),
        ];
        Assert.Equal(
            [.. Enumerable.Range(0, ReportSelection.Most).Select(i => $"case-{i:0000}"), "case-4000"],
            rows.Order(StringComparer.Ordinal)
        );
        Assert.Contains("61 of 5000 cases are shown", parsed.Root!.Value, StringComparison.Ordinal);
        Assert.Equal(5001, parsed.Descendants("pre").Single().Value.TrimEnd().Split('\n').Length);

        static CaseOutcome Named(CaseOutcome outcome, string id, double speed) =>
            outcome with
            {
                CaseId = id,
                Case = outcome.Case with { PromptId = id },
                Samples =
                [
                    .. outcome.Samples.Select(sample =>
                        sample with
                        {
                            CaseId = id,
                            Case = sample.Case with { PromptId = id },
                            DecodeTps = sample.DecodeTps * speed,
                        }
                    ),
                ],
            };
    }

    [Fact]
    public void No_run_is_refused() => Assert.Throws<ArgumentException>(() => HtmlReport.Page([]));

    [Fact]
    public void A_file_that_cannot_be_written_is_named_and_leaves_nothing()
    {
        using TestFolder folder = new();
        Directory.CreateDirectory(folder.File("report.html"));
        RunFileException e = Assert.Throws<RunFileException>(() => HtmlReport.Write([ReportRuns.Of(1)], folder.File("report.html")));
        Assert.Contains("report.html", e.Message);
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Charts_are_written_as_svg_and_png()
    {
        using TestFolder folder = new();
        IReadOnlyList<string> paths = ReportCharts.Write(DriverRuns(2), folder.File("charts")).Paths;

        Assert.Equal(paths.Order(), Directory.GetFiles(folder.File("charts")).Order());
        Assert.Contains(folder.File("charts", "decode.svg"), paths);
        foreach (string path in paths)
        {
            if (path.EndsWith(".svg"))
            {
                Assert.Equal("svg", XDocument.Load(path).Root!.Name.LocalName);
            }
            else
            {
                Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(path)[..4]);
            }
        }
    }

    [Fact]
    public void The_title_says_what_the_page_is_about_unless_one_is_given()
    {
        Assert.Equal(
            "llama-125m and more",
            Title(HtmlReport.Page([ReportRuns.Of(2)], new ReportOptions { Title = "llama-125m and more" }))
        );
        Assert.Equal("2 models on 2 systems: 2 runs", Title(HtmlReport.Page([ReportRuns.Of(2), ReportRuns.Of(2, 1, "32.0.15.7000")])));

        static string Title(string page) => XDocument.Parse(page).Descendants("h1").Single().Value;
    }

    [Fact]
    public void What_is_wrong_stands_before_the_charts_with_verdict_and_ratio_in_front()
    {
        XDocument page = XDocument.Parse(HtmlReport.Page([ReportRuns.Of(2, 3), ReportRuns.Of(2, 0, "32.0.15.7000")]));
        string[] titles = [.. page.Descendants("h2").Select(heading => heading.Value)];
        XElement comparison = page.Descendants("section").Single(found => found.Element("h2")!.Value == "Comparison");

        Assert.Equal(["Failed cases", "Comparison", "Decode throughput, tok/s"], titles.Take(3));
        Assert.Equal(["verdict", "ratio", "case"], comparison.Descendants("thead").Descendants("th").Take(3).Select(head => head.Value));
        Assert.Equal("regression", comparison.Descendants("tbody").Elements("tr").First().Elements().First().Value);
        XElement tile = page.Descendants("dt").Single(name => name.Value == "regressions").Parent!;
        Assert.Equal("bad", (string?)tile.Attribute("class"));
        Assert.NotEqual("0", tile.Element("dd")!.Value);
    }

    [Fact]
    public void More_than_four_runs_are_a_line_over_what_they_differ_in_or_over_time()
    {
        Run[] drivers = [.. Enumerable.Range(0, 6).Select(i => ReportRuns.Of(1, i, $"32.0.15.{7000 + i}"))];
        Run[] days = [.. Enumerable.Range(0, 6).Select(i => ReportRuns.Of(1, i))];

        Assert.Contains("Decode throughput over gpu_driver_version", Headings(drivers));
        Assert.Contains("Decode throughput over time", Headings(days));
        Assert.DoesNotContain("Decode throughput, tok/s", Headings(days));

        static string[] Headings(Run[] runs) =>
            [.. XDocument.Parse(HtmlReport.Page(runs)).Descendants("h2").Select(heading => heading.Value)];
    }

    [Theory]
    [InlineData("threads", "1,2,4,8")]
    [InlineData("prompt tokens", "128,512,2048")]
    [InlineData("length", "160,192,256")]
    [InlineData("block size", "16,32,64,128,256")]
    public void Cases_of_one_run_that_differ_in_a_quantity_are_a_line_over_it_for_each_precision(string axis, string values)
    {
        int[] numbers = [.. values.Split(',').Select(value => int.Parse(value, CultureInfo.InvariantCulture))];
        XElement section = Section(
            ReportRuns.Over(numbers, key => key with { Precision = "int4" }, On),
            ReportRuns.Over(numbers, key => key with { Precision = "int8" }, On)
        );

        string[] texts = [.. section.Descendants("svg").First().Descendants("text").Select(text => text.Value)];
        string[] below = [.. numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)), axis];
        Assert.Equal(below, texts.Where(below.Contains));
        Assert.Equal(["int4 genai", "int8 genai"], texts.Where(text => text.StartsWith("int", StringComparison.Ordinal)).Order());

        CaseKey On(CaseKey key, int value) =>
            axis switch
            {
                "threads" => key with { Threads = value },
                "prompt tokens" => key with { PromptTokens = value, PromptId = $"pp{value}", MaxLength = value + 64 },
                "length" => key with { MaxLength = value },
                _ => key with { BlockSize = value },
            };

        XElement Section(params IEnumerable<CaseKey>[] cases)
        {
            XDocument page = XDocument.Parse(HtmlReport.Page([ReportRuns.Of([.. cases.SelectMany(keys => keys)])]));
            string[] titles = [.. page.Descendants("h2").Select(heading => heading.Value)];
            Assert.Equal(["Failed cases", $"Decode throughput over {axis}"], titles.Take(2));
            Assert.Equal(3, page.Descendants("summary").Count(summary => summary.Value == "Show the bars"));
            return page.Descendants("section").Single(found => found.Element("h2")!.Value == titles[1]);
        }
    }

    [Fact]
    public void Bars_stay_open_where_a_case_has_no_place_on_the_axis_and_two_values_or_two_runs_have_none()
    {
        CaseKey[] blocks = [.. ReportRuns.Over([16, 32, 64], key => key, (key, size) => key with { BlockSize = size })];
        CaseKey half = blocks[0] with { Precision = "fp16", BlockSize = null };

        Assert.Contains("over block size", Page(ReportRuns.Of([.. blocks, half])));
        Assert.DoesNotContain("Show the bars", Page(ReportRuns.Of([.. blocks, half])));
        Assert.DoesNotContain("over block size", Page(ReportRuns.Of(blocks[..2])));
        Assert.DoesNotContain("over block size", Page(ReportRuns.Of(blocks), ReportRuns.Of(blocks, number: 1)));

        static string Page(params Run[] runs) => HtmlReport.Page(runs);
    }

    [Fact]
    public void Five_hundred_runs_stay_readable_and_small()
    {
        Run one = ReportRuns.Of(2, withTokens: false);
        Run[] runs =
        [
            .. Enumerable
                .Range(0, 500)
                .Select(i =>
                {
                    RunIdentity identity = one.Identity with { RunId = $"run-{i:000}", TestTime = one.Identity.TestTime.AddDays(i) };
                    return one with
                    {
                        Identity = identity,
                        Cases =
                        [
                            .. one.Cases.Select(outcome =>
                                outcome with
                                {
                                    Samples = [.. outcome.Samples.Select(sample => sample with { Run = identity })],
                                }
                            ),
                        ],
                    };
                }),
        ];

        string page = HtmlReport.Page(runs);

        Assert.InRange(page.Length, 1, 1_500_000);
        XElement chart = XDocument.Parse(page).Descendants("svg").First();
        Assert.InRange(chart.Descendants("text").Count(text => text.Value.StartsWith("202", StringComparison.Ordinal)), 2, 30);
    }

    [Fact]
    public void One_wide_interval_does_not_flatten_the_bars()
    {
        Run run = ReportRuns.Of(2);
        CaseOutcome wild = run.Cases[0] with
        {
            Samples =
            [
                .. run.Cases[0]
                    .Samples.Select(sample => sample with { DecodeTps = sample.DecodeTps * Math.Pow(20, sample.LaunchIndex - 2) }),
            ],
        };
        Run odd = run with { Cases = [wild, .. run.Cases.Skip(1)] };

        Assert.InRange(Widest(odd) / Widest(run), 0.8, 1.25);

        static double Widest(Run run) =>
            XDocument
                .Parse(HtmlReport.Page([run]))
                .Descendants("svg")
                .First()
                .Descendants("path")
                .Select(path =>
                    Regex
                        .Matches((string?)path.Attribute("d") ?? "", "[0-9.]+", RegexOptions.None, TimeSpan.FromSeconds(10))
                        .Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture))
                )
                .Select(numbers => numbers.Where((_, i) => i % 2 == 0).DefaultIfEmpty(0))
                .Select(across => across.Max() - across.Min())
                .Max();
    }

    [Fact]
    public void The_baseline_is_the_run_that_was_named_and_a_field_that_was_named_is_varied()
    {
        Run[] runs = DriverRuns(1);
        string page = XDocument
            .Parse(HtmlReport.Page(runs, new ReportOptions { Baseline = "3", Vary = ["gpu_driver_version"] }))
            .Root!.Value;
        Assert.DoesNotContain("gpu_driver_version=32.0.15.10001", page[..page.IndexOf("Decode throughput", StringComparison.Ordinal)]);
        Assert.Throws<OptionException>(() => HtmlReport.Page(runs, new ReportOptions { Vary = ["speed"] }));
        Assert.Throws<RunFileException>(() => HtmlReport.Page(runs, new ReportOptions { Vary = ["threads"] }));
    }
}
