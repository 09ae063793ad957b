using System.CommandLine;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>checkpoint</c>: makes a Hugging Face checkpoint with random weights, for trying out what reads checkpoints.</summary>
internal static class CheckpointCommand
{
    private const ulong Seed = 0x4C33_5045_5246;

    public static Command Create()
    {
        Option<string?> model = OptionFactory.Value(
            "--model",
            "Shape name or config.json. Default: llama-125m.",
            OptionFactory.Model,
            "name|path"
        );
        Option<CheckpointType?> type = OptionFactory.Value(
            "--type",
            "Type of the weights: bf16, fp16, fp32. Default: bf16.",
            OptionFactory.OneOf<CheckpointType?>(
                ("bf16", CheckpointType.BFloat16),
                ("fp16", CheckpointType.Float16),
                ("fp32", CheckpointType.Float32)
            ),
            "name"
        );
        Option<int?> shard = OptionFactory.Value<int?>(
            "--shard-size",
            "Largest file, in MB (1e6 bytes). Default: 5000.",
            text => OptionFactory.Integer(1, 1_000_000)(text),
            "MB"
        );
        Option<string?> output = OptionFactory.Value("--output", "Folder to write.", OptionFactory.Text, "folder");
        output.Required = true;
        Command command = new("checkpoint", "Makes a Hugging Face checkpoint folder with random weights, to try out build and the peers.")
        {
            model,
            type,
            shard,
            output,
        };
        command.SetAction(parsed =>
        {
            var shape = LlamaShape.Load(parsed.GetValue(model) ?? "llama-125m");
            string folder = Path.GetFullPath(parsed.GetRequiredValue(output)!);
            long shardBytes = 1_000_000L * (parsed.GetValue(shard) ?? 5000);
            ByteProgress.Show(
                $"writing {shape.Name}",
                (progress, cancellation) =>
                {
                    SyntheticCheckpoint.Write(
                        shape,
                        folder,
                        parsed.GetValue(type) ?? CheckpointType.BFloat16,
                        shardBytes,
                        Seed,
                        Environment.ProcessorCount,
                        progress,
                        cancellation
                    );
                    return folder;
                }
            );
            Console.WriteLine($"{folder}: random weights in {Checkpoint.Open(folder).WeightFiles.Count} file(s)");
            return ExitCode.Success;
        });
        return command;
    }
}
