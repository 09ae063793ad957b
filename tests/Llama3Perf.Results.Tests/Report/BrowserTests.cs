using System.Diagnostics;
using System.Text.RegularExpressions;
using Llama3Perf.Results.Report;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Report;

/// <summary>The page in a real browser, where there is one.</summary>
public sealed partial class BrowserTests
{
    private static readonly string[] s_names = ["chromium", "chromium-browser", "google-chrome", "chrome.exe", "msedge.exe"];

    /// <summary>A frame of a phone's width around the page tells how wide the page wants to be.</summary>
    [Theory]
    [InlineData(390)]
    [InlineData(320)]
    [InlineData(1280)]
    public void Page_is_never_wider_than_its_window(int width)
    {
        using TestFolder folder = new();
        Run[] runs = [ReportRuns.Of(6), ReportRuns.Of(6, 1, "32.0.15.7000")];
        HtmlReport.Write([.. runs, ReportRuns.WithHostileTexts()], folder.File("report.html"));
        File.WriteAllText(
            folder.File("frame.html"),
            $$"""
            <!DOCTYPE html><body><iframe id="page" src="report.html" width="{{width}}" height="800" style="border:0"></iframe>
            <script>
            onload = () => {
              const page = document.getElementById('page').contentDocument.documentElement;
              const shown = [...page.querySelectorAll('svg')].filter(svg => svg.getBoundingClientRect().width > 0);
              const wide = shown.flatMap(svg => [...svg.querySelectorAll('text')]
                .filter(text => text.getBoundingClientRect().right > page.clientWidth));
              const widths = `${page.scrollWidth} ${page.clientWidth} ${shown.length} ${wide.length}`;
              page.querySelector('th button').click();
              const filter = page.querySelector('input[type=search]');
              filter.value = 'no such row';
              filter.dispatchEvent(new Event('input'));
              const left = [...filter.nextElementSibling.querySelectorAll('tbody tr')].filter(row => !row.hidden);
              document.body.dataset.result = `${widths} ${page.querySelectorAll('[aria-sort]').length} ${left.length}`;
            };
            </script></body>
            """
        );

        Match result = Result().Match(DumpDom(folder));
        Assert.True(result.Success, "the page did not load");

        // The window's own scroll bar takes some of the width.
        Assert.InRange(int.Parse(result.Groups["client"].Value), width - 20, width);
        Assert.Equal(result.Groups["client"].Value, result.Groups["scroll"].Value);
        Assert.True(int.Parse(result.Groups["charts"].Value) >= 4, "each chart is shown once");
        Assert.Equal("0", result.Groups["cut"].Value);
        Assert.Equal(("1", "0"), (result.Groups["sorted"].Value, result.Groups["left"].Value));
    }

    [Fact]
    public void A_phone_sees_every_ratio_of_the_comparison()
    {
        using TestFolder folder = new();
        HtmlReport.Write([ReportRuns.Of(6), ReportRuns.Of(6, 1, "32.0.15.7000")], folder.File("report.html"));
        WriteFrame(
            folder,
            """
            const table = [...page.querySelectorAll('section')].find(part => part.querySelector('h2').textContent === 'Comparison')
              .querySelector('table');
            const ratio = [...table.querySelectorAll('thead th')].findIndex(head => head.textContent.trim() === 'ratio');
            const rows = [...table.querySelectorAll('tbody tr')];
            const cut = rows.filter(row => row.children[ratio].getBoundingClientRect().right > page.clientWidth);
            document.body.dataset.result = `${ratio} ${rows.length > 5} ${cut.length}`;
            """
        );

        Assert.Contains("data-result=\"1 true 0\"", DumpDom(folder), StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_of_a_chart_lies_on_another_or_is_cut_on_a_phone()
    {
        using TestFolder folder = new();
        HtmlReport.Write([ReportRuns.Of(20)], folder.File("report.html"));
        WriteFrame(
            folder,
            """
            const charts = [...page.querySelectorAll('section > figure .narrow svg')];
            const box = element => element.getBoundingClientRect();
            const shared = (a, b, from, to) => Math.min(a[to], b[to]) - Math.max(a[from], b[from]);
            const meet = (a, b) => shared(a, b, 'left', 'right') > 1 && shared(a, b, 'top', 'bottom') > 4;
            const worst = charts.flatMap(chart => {
              const texts = [...chart.querySelectorAll('text')];
              const cut = texts.filter(text => box(text).right > box(chart).right + 1 || box(text).left < box(chart).left - 1);
              return [...cut, ...texts.filter((text, i) => texts.slice(0, i).some(other => meet(box(text), box(other))))];
            });
            document.body.dataset.result = `${charts.length} ${worst.map(text => text.textContent).join('|')}`;
            """
        );

        // Three over the prompt's tokens and one of the slowest tokens; bars and distributions are folded.
        Assert.Contains("data-result=\"4 \"", DumpDom(folder), StringComparison.Ordinal);
    }

    /// <summary>Every text against what stands behind it, by WCAG's contrast: 4.5 is what its level AA asks of text.</summary>
    [Theory]
    [InlineData("light", 1)]
    [InlineData("dark", 0)]
    public void Text_is_readable_in_light_and_dark_and_paper_is_always_light(string scheme, int preferred)
    {
        using TestFolder folder = new();
        HtmlReport.Write([ReportRuns.Of(6), ReportRuns.Of(6, 1, "32.0.15.7000")], folder.File("report.html"));
        WriteFrame(
            folder,
            """
            const window = document.getElementById('page').contentWindow;
            const channels = colour => colour.match(/[0-9.]+/g).map(Number);
            const light = colour => channels(colour).slice(0, 3).map(value => value / 255)
              .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
              .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
            const behind = element => {
              const colour = window.getComputedStyle(element).backgroundColor;
              return channels(colour)[3] === 0 && element.parentElement ? behind(element.parentElement) : colour;
            };
            const texts = [...page.querySelectorAll('h1, h2, p, th, td, dt, dd, summary, button, a')]
              .filter(element => element.textContent.trim() && element.getBoundingClientRect().width > 0);
            const worst = Math.min(...texts.map(element => {
              const [one, other] = [light(window.getComputedStyle(element).color), light(behind(element))];
              return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            }));
            const dark = [...page.ownerDocument.styleSheets[0].cssRules].filter(rule => /dark/.test(rule.conditionText ?? ''));
            document.body.dataset.result = `${window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'} `
              + `${texts.length > 50} ${worst >= 4.5 ? 'readable' : worst} ${dark.every(rule => /screen/.test(rule.conditionText))}`;
            """
        );

        string dom = DumpDom(folder, $"--blink-settings=preferredColorScheme={preferred}");

        Assert.SkipUnless(dom.Contains($"data-result=\"{scheme}", StringComparison.Ordinal), $"this browser does not take {scheme} so");
        Assert.Contains($"data-result=\"{scheme} true readable true\"", dom, StringComparison.Ordinal);
    }

    // The page in a phone's frame, and a script that looks at it.
    private static void WriteFrame(TestFolder folder, string script) =>
        File.WriteAllText(
            folder.File("frame.html"),
            $$"""
            <!DOCTYPE html><body><iframe id="page" src="report.html" width="390" height="800" style="border:0"></iframe>
            <script>
            onload = () => {
              const page = document.getElementById('page').contentDocument.documentElement;
              {{script}}
            };
            </script></body>
            """
        );

    private static string DumpDom(TestFolder folder, params string[] arguments)
    {
        string? browser = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .SelectMany(path => s_names.Select(name => Path.Combine(path, name)))
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(browser is null, $"no browser on the PATH: {string.Join(", ", s_names)}");
        ProcessStartInfo start = new(browser)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--allow-file-access-from-files",
                "--window-size=1400,900",
                $"--user-data-dir={folder.File("profile")}",
            },
        };
        foreach (string argument in (string[])[.. arguments, "--dump-dom", new Uri(folder.File("frame.html")).AbsoluteUri])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(60)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Skip("the browser did not answer within a minute");
        }

        return output.Result;
    }

    [GeneratedRegex(
        "data-result=\"(?<scroll>[0-9]+) (?<client>[0-9]+) (?<charts>[0-9]+) (?<cut>[0-9]+) (?<sorted>[0-9]+) (?<left>[0-9]+)\"",
        RegexOptions.None,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Result();
}
