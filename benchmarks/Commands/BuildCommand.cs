using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>build</c>: makes one model folder, of a checkpoint or with random weights.</summary>
internal static class BuildCommand
{
    public static Command Create()
    {
        Option<string?> model = OptionFactory.Value(
            "--model",
            "Hugging Face checkpoint folder, shape name or config.json. Default: llama-125m.",
            OptionFactory.Model,
            "name|path"
        );
        Option<Precision?> precision = OptionFactory.Value<Precision?>(
            "--precision",
            "int4, int8, fp16 or fp32. Default: int4.",
            text => OptionFactory.PrecisionOf(text),
            "name"
        );
        Option<int?> blockSize = OptionFactory.Value<int?>(
            "--block-size",
            "Quantization block along K: 16, 32, 64, 128, 256. Default: 32.",
            text => OptionFactory.BlockSizeOf(text),
            "n"
        );
        Option<bool> asymmetric = OptionFactory.Flag("--asymmetric", "Stores a zero point for every block.");
        Option<int?> accuracy = OptionFactory.Value<int?>(
            "--accuracy-level",
            "Activations of the quantized products: 4 = int8, 0 = as they are. Default: 4.",
            text => OptionFactory.Integer(0, 4)(text),
            "n"
        );
        Option<GraphTarget?> target = OptionFactory.Value<GraphTarget?>(
            "--provider",
            "Execution provider that the graph is for: cpu, dml, cuda, webgpu. Default: cpu.",
            OptionFactory.OneOf<GraphTarget?>(
                ("cpu", GraphTarget.Cpu),
                ("dml", GraphTarget.DirectML),
                ("cuda", GraphTarget.Cuda),
                ("webgpu", GraphTarget.WebGpu)
            ),
            "name"
        );
        Option<string?> tied = OptionFactory.Value(
            "--tie-embeddings",
            "yes or no. Default: as the shape says.",
            OptionFactory.OneOf(("yes", "yes"), ("no", "no")),
            "yes|no"
        );
        Option<bool> fullHead = OptionFactory.Flag("--all-logits", "Computes logits for every position, not only the last.");
        Option<bool> nonFinite = OptionFactory.Flag(
            "--allow-non-finite",
            "Stores a checkpoint's NaN weights as 0 and infinite ones as the largest number."
        );
        Option<ulong?> seed = OptionFactory.Value<ulong?>(
            "--seed",
            "Seed of random weights.",
            text => ulong.TryParse(text, out ulong number) ? number : throw new UsageException($"'{text}' is not a whole number"),
            "n"
        );
        Option<ModelFormat?> format = OptionFactory.Value<ModelFormat?>(
            "--format",
            "onnx, or gguf for llama.cpp: of the same numbers, by way of the ONNX folder. Default: onnx.",
            OptionFactory.OneOf<ModelFormat?>(("onnx", ModelFormat.Onnx), ("gguf", ModelFormat.Gguf)),
            "onnx|gguf"
        );
        Option<KeyValueType?> cache = OptionFactory.Value<KeyValueType?>(
            "--kv-type",
            "KV cache: int8 or int4, with scales that a calibration on the CPU finds. Default: as the graph computes.",
            OptionFactory.OneOf<KeyValueType?>(("int8", KeyValueType.Int8), ("int4", KeyValueType.Int4)),
            "int8|int4"
        );
        Option<string?> output = OptionFactory.Value(
            "--output",
            "Folder to write. Default: a reused one under artifacts/models.",
            OptionFactory.Text,
            "folder"
        );
        Command command = new(
            "build",
            "Makes a GenAI model folder: of a Hugging Face checkpoint, or of a shape with random weights (real speed, no download)."
        )
        {
            model,
            precision,
            blockSize,
            asymmetric,
            accuracy,
            target,
            tied,
            fullHead,
            nonFinite,
            seed,
            format,
            cache,
            output,
        };
        command.SetAction(parsed =>
        {
            ModelBuildOptions defaults = new() { Model = parsed.GetValue(model) ?? "llama-125m" };
            Build(
                defaults with
                {
                    Precision = parsed.GetValue(precision) ?? defaults.Precision,
                    BlockSize = parsed.GetValue(blockSize) ?? defaults.BlockSize,
                    Symmetric = !parsed.GetValue(asymmetric),
                    AccuracyLevel = parsed.GetValue(accuracy) ?? defaults.AccuracyLevel,
                    Target = parsed.GetValue(target) ?? defaults.Target,
                    TieEmbeddings = parsed.GetValue(tied) is { } choice ? choice == "yes" : null,
                    PruneLmHead = !parsed.GetValue(fullHead),
                    AllowNonFinite = parsed.GetValue(nonFinite),
                    Seed = parsed.GetValue(seed) ?? defaults.Seed,
                },
                parsed.GetValue(format) ?? ModelFormat.Onnx,
                parsed.GetValue(cache),
                parsed.GetValue(output)
            );
            return ExitCode.Success;
        });
        return command;
    }

    private static void Build(ModelBuildOptions options, ModelFormat format, KeyValueType? cache, string? output)
    {
        ModelPreparation models = new(Workspace.Models);
        if (cache is not null && format == ModelFormat.Gguf)
        {
            throw new UsageException("--kv-type: a GGUF file has no KV cache; llama.cpp takes the option when it runs one");
        }

        if (format == ModelFormat.Gguf)
        {
            ConvertCommand.Convert(models, models.Prepare(options), output);
            return;
        }

        if (ModelBuilder.Refusal(options) is { } refusal)
        {
            throw new ModelException(refusal);
        }

        string? folder = output is null ? null : Path.GetFullPath(output);
        if (cache is not { } type)
        {
            FolderDisplay.Show(models.Prepare(options, folder));
        }
        else if (GraphNeeds.CacheRefusal(type, null, "ort", options.Target) is { } missing)
        {
            throw new UsageException($"--kv-type: ort {missing}; leave --provider {options.Target.Name()} out");
        }
        else
        {
            FolderDisplay.Show(models.WithCache(models.Prepare(options), type, folder));
        }
    }
}
