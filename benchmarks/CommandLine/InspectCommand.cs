using System.CommandLine;
using Llama3Perf.Benchmarks.Display;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.CommandLine;

/// <summary><c>inspect</c>: what a model folder is, without reading its weights.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        Argument<string> folder = new("folder") { Description = "GenAI model folder." };
        Option<double?> bandwidth = OptionFactory.Value<double?>(
            "--bandwidth", "Memory bandwidth in GB/s for the decode ceiling. Default: 50.", text => OptionFactory.Number(0.001, 1e6)(text), "GB/s");
        Command command = new("inspect", "Shows what a model folder is: shape, storage, bytes a token, providers it suits, problems. Reads no weights.") { folder, bandwidth };
        command.SetAction(parsed =>
        {
            InspectionDisplay.Show(FolderInspection.Of(parsed.GetRequiredValue(folder)), parsed.GetValue(bandwidth) ?? 50);
            return ExitCode.Success;
        });
        return command;
    }
}
