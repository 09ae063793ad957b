using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>convert</c>: makes another format of a model folder, with the same numbers.</summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        Argument<string> folder = OptionFactory.Argument("folder", "Model folder that the suite built.");
        Option<ModelFormat?> format = OptionFactory.Value<ModelFormat?>(
            "--to",
            "gguf: for llama.cpp, and what is made of it. Default: gguf.",
            OptionFactory.OneOf<ModelFormat?>(("gguf", ModelFormat.Gguf)),
            "gguf"
        );
        Option<string?> output = OptionFactory.Value(
            "--output",
            "Folder to write. Default: a reused one under artifacts/models.",
            OptionFactory.Text,
            "folder"
        );
        Command command = new("convert", "Makes a GGUF file of a model folder, with the same weights and tokenizer.")
        {
            folder,
            format,
            output,
        };
        command.SetAction(parsed =>
        {
            var source = ModelFolderReader.Open(parsed.GetRequiredValue(folder));
            Convert(new ModelPreparation(Workspace.Models), source, parsed.GetValue(output));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Makes the GGUF folder and shows it.</summary>
    public static void Convert(ModelPreparation models, ModelFolder source, string? output)
    {
        ModelFolder gguf = models.ToGguf(source, output is null ? null : Path.GetFullPath(output));
        FolderDisplay.Show(gguf);
        if (ModelPreparation.ScaleNote(gguf) is { } note)
        {
            Console.WriteLine($"{note}.");
        }
    }
}
