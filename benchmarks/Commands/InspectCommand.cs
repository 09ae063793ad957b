using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Inspection;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>inspect</c>: what a model folder or a checkpoint is, without reading its weights.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        Argument<string> folder = OptionFactory.Argument("folder", "GenAI model folder or Hugging Face checkpoint.");
        Option<double?> bandwidth = OptionFactory.Value<double?>(
            "--bandwidth",
            "Memory bandwidth in GB/s for the decode ceiling of a model folder. Default: 50.",
            text => OptionFactory.Number(0.001, 1e6)(text),
            "GB/s"
        );
        NativeSettings native = new();
        Command command = new(
            "inspect",
            "Shows what a model folder or a checkpoint is: shape, storage, bytes a token, providers it suits, problems. Reads no weights."
        )
        {
            folder,
            bandwidth,
            native.RuntimeDir,
        };
        command.SetAction(parsed =>
        {
            native.Use(parsed);
            Show(parsed.GetRequiredValue(folder), parsed.GetValue(bandwidth) ?? 50);
            return ExitCode.Success;
        });
        return command;
    }

    private static void Show(string folder, double gigabytesPerSecond)
    {
        if (ModelVariant.IsFinished(folder) || !Checkpoint.IsCheckpoint(folder))
        {
            var graph = FolderInspection.Of(folder);
            InspectionDisplay.Show(graph, gigabytesPerSecond, WhyNoTokenizer(graph.Folder.Path));
            return;
        }

        var inspection = CheckpointInspection.Of(folder);
        CheckpointDisplay.Show(inspection, WhyNoTokenizer(inspection.Checkpoint.Path));
    }

    // A missing file is among the problems of the inspection.
    private static string? WhyNoTokenizer(string folder)
    {
        try
        {
            _ = File.Exists(Path.Combine(folder, "tokenizer.json")) ? ModelTokenizer.Open(folder) : null;
            return null;
        }
        catch (EngineException e)
        {
            return e.Message;
        }
    }
}
