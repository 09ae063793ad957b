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
        Option<bool> force = OptionFactory.Force();
        Command command = new("report", "Writes one self-contained HTML page with charts and tables; needs no network to read.")
        {
            runs,
            output,
            charts,
            cases,
            force,
        };
        command.SetAction(parsed =>
        {
            IReadOnlyList<Run> read = ResultsVerb.Read(parsed.GetRequiredValue(runs), withTokens: true);
            string page = Path.GetFullPath(parsed.GetValue(output) ?? "report.html");
            HtmlReport.Write(read, page, parsed.GetValue(force), parsed.GetValue(cases));
            Console.WriteLine(page);
            if (parsed.GetValue(charts) is { } folder)
            {
                ChartFiles files = ReportCharts.Write(read, Path.GetFullPath(folder));
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
