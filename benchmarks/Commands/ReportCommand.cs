using System.CommandLine;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Report;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>report</c>: one HTML page from one or more runs, and its charts as files.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        Argument<string[]> runs = ResultsVerb.Runs(1);
        Option<string?> output = OptionFactory.Value("--output", "The page. Default: report.html.", OptionFactory.Text, "file");
        Option<string?> charts = OptionFactory.Value("--charts", "Folder for the charts as PNG and SVG.", OptionFactory.Text, "folder");
        Option<IReadOnlyList<string>?> cases = OptionFactory.List(
            "--case",
            "Cases that are shown however many there are, by their case_id; beside them a page shows the worst.",
            OptionFactory.Text,
            "list"
        );
        Option<string?> title = OptionFactory.Value(
            "--title",
            "Title of the page. Default: model, adapter and machine.",
            OptionFactory.Text,
            "text"
        );
        Option<IReadOnlyList<string>?> vary = OptionFactory.List(
            "--vary",
            "Field that the runs differ in: gpu_driver_version, engine, ... Default: the one they differ in.",
            OptionFactory.Text,
            "fields"
        );
        Option<string?> baseline = OptionFactory.Value(
            "--baseline",
            "Position from 1, run id or path of the run that the others are held against. Default: the first.",
            OptionFactory.Text,
            "run"
        );
        Option<bool> force = OptionFactory.Force();
        Command command = new("report", "Writes one self-contained HTML page with charts and tables; needs no network to read.")
        {
            runs,
            output,
            charts,
            cases,
            title,
            vary,
            baseline,
            force,
        };
        command.SetAction(parsed =>
        {
            IReadOnlyList<Run> read = ResultsVerb.Read(parsed.GetRequiredValue(runs), withTokens: true);
            string page = Path.GetFullPath(parsed.GetValue(output) ?? "report.html");
            ReportOptions options = new()
            {
                Title = parsed.GetValue(title),
                Vary = parsed.GetValue(vary) ?? [],
                Baseline = parsed.GetValue(baseline),
                Cases = parsed.GetValue(cases) ?? [],
            };
            HtmlReport.Write(read, page, parsed.GetValue(force), options);
            Console.WriteLine(page);
            if (parsed.GetValue(charts) is { } folder)
            {
                ChartFiles files = ReportCharts.Write(read, Path.GetFullPath(folder), options);
                foreach (string file in files.Paths)
                {
                    Console.WriteLine(file);
                }

                if (files.Note is { } note)
                {
                    Console.Error.WriteLine(note);
                }
            }

            return ExitCode.Success;
        });
        return command;
    }
}
