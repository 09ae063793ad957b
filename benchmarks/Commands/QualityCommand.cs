using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Results.Report;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>quality</c>: what each precision of a checkpoint costs in quality and buys in speed.</summary>
internal sealed class QualityCommand
{
    private const int DefaultTokens = 1024;
    private const int SpeedPrompt = 15;
    private const int SpeedLength = 79;
    private const int SpeedIterations = 3;

    private readonly Option<string?> _model = OptionFactory.Value(
        "--model",
        "Hugging Face checkpoint folder, or shape name.",
        OptionFactory.Model,
        "name|path"
    );

    private readonly Option<string?> _text = OptionFactory.Value("--text", "Text that the models foretell.", OptionFactory.Text, "file");

    private readonly Option<IReadOnlyList<Precision>?> _precisions = OptionFactory.List(
        "--precision",
        "What is compared: fp32, fp16, int8, int4; the first floating point one is the reference. Default: all.",
        OptionFactory.PrecisionOf,
        "list"
    );

    private readonly Option<IReadOnlyList<int>?> _blockSizes = OptionFactory.List(
        "--block-size",
        "Blocks of the quantized ones. Default: 32,128.",
        OptionFactory.BlockSizeOf,
        "list"
    );

    private readonly Option<IReadOnlyList<KeyValueType>?> _caches = OptionFactory.List(
        "--kv-type",
        "KV caches that are compared as well, at each precision: int8, int4. Default: none.",
        OptionFactory.OneOf(("int8", KeyValueType.Int8), ("int4", KeyValueType.Int4)),
        "list"
    );

    private readonly Option<int?> _maxTokens = OptionFactory.Value<int?>(
        "--max-tokens",
        $"Tokens of the text that are taken. Default: {DefaultTokens}.",
        text => OptionFactory.Integer(2, 1_000_000)(text),
        "n"
    );

    private readonly Option<int?> _threads = OptionFactory.Value<int?>(
        "--threads",
        "Intra-op threads. Default: one for each physical core.",
        text => OptionFactory.Integer(1, 1024)(text),
        "n"
    );

    private readonly Option<string?> _output = OptionFactory.Value(
        "--output",
        "Folder for quality.md and quality.svg.",
        OptionFactory.Text,
        "folder"
    );

    private readonly NativeSettings _native = new();

    public static Command Create()
    {
        QualityCommand verb = new();
        Command command = new("quality", "What each precision of a checkpoint costs (perplexity, divergence) and buys (tokens a second).")
        {
            verb._model,
            verb._text,
            verb._precisions,
            verb._blockSizes,
            verb._caches,
            verb._maxTokens,
            verb._threads,
            verb._output,
            verb._native.RuntimeDir,
        };
        verb._model.Required = true;
        verb._text.Required = true;
        command.SetAction(verb.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        _native.Use(parsed);
        string model = parsed.GetRequiredValue(_model)!;
        if (ModelVariant.IsFinished(model))
        {
            throw new UsageException($"--model: {model} is one model folder of one precision; name the checkpoint that it was made of");
        }

        IReadOnlyList<Precision> precisions =
            parsed.GetValue(_precisions) ?? [Precision.Fp32, Precision.Fp16, Precision.Int8, Precision.Int4];
        Precision reference =
            precisions.Where(precision => precision is Precision.Fp32 or Precision.Fp16).Order().Cast<Precision?>().FirstOrDefault()
            ?? throw new UsageException("--precision: fp32 or fp16 must be among them, as the reference");
        ModelPreparation models = new(Workspace.Models);
        ModelFolder folder = models.Prepare(new ModelBuildOptions { Model = model, Precision = reference });
        int[] tokens = Tokens(folder, parsed.GetRequiredValue(_text)!, parsed.GetValue(_maxTokens) ?? DefaultTokens);
        int[][] windows = TextQuality.Windows(tokens, folder);
        using FileStream logits = new(
            Path.Combine(Path.GetTempPath(), $"llama3perf-{Guid.NewGuid():N}.logits"),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.None,
            bufferSize: 1 << 20,
            FileOptions.DeleteOnClose
        );
        KeyValueType?[] caches = [null, .. parsed.GetValue(_caches)?.Select(type => (KeyValueType?)type) ?? []];
        ModelBuildOptions[] steps =
        [
            new() { Model = model, Precision = reference },
            .. from precision in precisions
            where precision != reference
            from block in precision is Precision.Int4 or Precision.Int8 ? parsed.GetValue(_blockSizes) ?? [32, 128] : [32]
            select new ModelBuildOptions
            {
                Model = model,
                Precision = precision,
                BlockSize = block,
            },
        ];
        (ModelBuildOptions Step, KeyValueType? Cache)[] ladder = [.. steps.SelectMany(step => caches.Select(cache => (step, cache)))];
        QualityRow[] rows =
        [
            .. ladder.Select((rung, i) => Measure(rung.Step, rung.Cache, models, windows, logits, i == 0, parsed.GetValue(_threads))),
        ];
        string lead =
            $"{folder.Name}: {windows.Sum(window => window.Length - 1)} tokens of {Path.GetFileName(parsed.GetValue(_text))}, in windows "
            + $"of {windows.Max(window => window.Length)}, against {reference.Name()}; ort on the CPU.";
        string[] notes = ModelVariant.IsReal(model)
            ? ["Tokens a second are a quick look; the verb run measures them."]
            : ["The weights are random: perplexity and divergence mean nothing, tokens a second alone do."];
        Console.WriteLine(lead);
        Screen.Table(QualityReport.Table(rows));
        Array.ForEach(notes, Console.WriteLine);
        if (parsed.GetValue(_output) is { } output)
        {
            foreach (string file in QualityReport.Write(rows, lead, notes, Path.GetFullPath(output)))
            {
                Console.WriteLine(file);
            }
        }

        return Array.TrueForAll(rows, row => row.Problem is not null) ? ExitCode.Input : ExitCode.Success;
    }

    private static int[] Tokens(ModelFolder folder, string path, int most)
    {
        int[] tokens = [.. PromptTokenizer.For(folder).Tokenize(Prompt.Parse("@" + path), PromptForm.Plain).TokenIds.Take(most)];
        return tokens.Length > 1 ? tokens : throw new UsageException($"--text: {path} is {tokens.Length} token; at least two are needed");
    }

    private static QualityRow Measure(
        ModelBuildOptions options,
        KeyValueType? cache,
        ModelPreparation models,
        int[][] windows,
        FileStream logits,
        bool isReference,
        int? threads
    )
    {
        string name =
            options.Precision.Name()
            + (options.Precision is Precision.Int4 or Precision.Int8 ? $" b{options.BlockSize}" : "")
            + (cache is { } asked ? $", KV {asked.Name()}" : "");
        try
        {
            ModelFolder plain = models.Prepare(options);
            ModelFolder folder = cache is { } type ? models.WithCache(plain, type) : plain;
            VerifiedSide side = new(folder, "ort", new EngineOptions { Threads = threads ?? PhysicalCores.Count });
            TextQuality quality;
            using (CountProgress progress = CountProgress.Begin($"{name} foretells the text", windows.Length))
            {
                quality = TextQuality.Of(side, windows, logits, isReference, progress.Step);
            }

            return new QualityRow(
                name,
                folder.WeightBytes,
                quality.Perplexity,
                quality.Divergence,
                quality.TopPercent,
                Speed(side, windows[0]),
                Problem: null
            );
        }
        catch (ModelException exception) when (!isReference)
        {
            return new QualityRow(name, null, null, null, null, null, exception.Message);
        }
    }

    private static double? Speed(VerifiedSide side, int[] window)
    {
        int[] prompt = window[..Math.Min(SpeedPrompt, window.Length)];
        int length = Math.Min(SpeedLength, side.Folder.ContextLength);
        if (length <= prompt.Length + 1)
        {
            return null;
        }

        using EngineGenerator generator = new(side.Kind.Load(side.Folder, side.Options));
        double[] rates =
        [
            .. Enumerable
                .Range(0, SpeedIterations + 1)
                .Select(_ => generator.Generate(prompt, length).DecodeTps)
                .Skip(1)
                .OfType<double>()
                .Order(),
        ];
        return rates.Length == 0 ? null : rates[rates.Length / 2];
    }
}
