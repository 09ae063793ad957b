using System.CommandLine;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Export;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>export</c>: a run in the form that other dashboards read.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        Argument<string> run = OptionFactory.Argument("run", "A run folder or a samples.csv.");
        Option<ExportFormat?> format = OptionFactory.Value(
            "--format",
            string.Join(" ", RunExport.Formats.Select(known => $"{known.Name}: {known.Summary}")),
            OptionFactory.OneOf([.. RunExport.Formats.Select(known => (known.Name, known))]),
            "name"
        );
        Option<string?> output = OptionFactory.Value(
            "--output",
            "Folder to write to. Default: the current one.",
            OptionFactory.Text,
            "folder"
        );
        format.Required = true;
        Command command = new("export", "Writes a run in the form that other tools read.") { run, format, output };
        command.SetAction(parsed =>
        {
            string folder = Path.GetFullPath(parsed.GetValue(output) ?? ".");
            foreach (
                string file in RunExport.Write(
                    ResultsVerb.ReadOne(parsed.GetRequiredValue(run), "run"),
                    parsed.GetRequiredValue(format)!,
                    folder
                )
            )
            {
                Console.WriteLine(file);
            }

            return ExitCode.Success;
        });
        return command;
    }
}
