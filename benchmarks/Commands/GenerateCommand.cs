using System.CommandLine;
using System.Globalization;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>generate</c>: one prompt, streamed text, one line with the times. The article's script, done right.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        Option<string?> model = OptionFactory.Value(
            "--model",
            "Shape name, config.json, Hugging Face checkpoint, GenAI model folder or GGUF file. Default: llama-125m.",
            OptionFactory.Model,
            "name|path"
        );
        Option<Precision?> precision = OptionFactory.Value<Precision?>(
            "--precision",
            "Weights of a shape: int4, int8, fp16, fp32. Default: int4.",
            text => OptionFactory.PrecisionOf(text),
            "name"
        );
        Option<string?> engine = OptionFactory.Value(
            "--engine",
            $"{string.Join(", ", EngineCatalog.Names)}. Default: the best that is there.",
            name => EngineCatalog.Get(name).Name,
            "name"
        );
        Option<ExecutionProvider?> provider = NativeSettings.Provider(
            "--provider",
            "cpu, dml, cuda, webgpu, or a --provider-library by its name. Default: the best that is there."
        );
        Option<string?> prompt = OptionFactory.Value(
            "--prompt",
            "Text, @file.txt or ppN. Default: OpenVINO is.",
            OptionFactory.Text,
            "text"
        );
        Option<string?> template = OptionFactory.Value(
            OptionFactory.ChatTemplateName,
            $"Wraps the prompt: {OptionFactory.ChatTemplates}. Default: none.",
            OptionFactory.ChatTemplateOf,
            "name"
        );
        Option<bool> addBos = OptionFactory.Flag("--add-bos", OptionFactory.AddBosHelp);
        Option<int?> maxLength = OptionFactory.Value<int?>(
            "--max-length",
            "Prompt and new tokens together. Default: 143.",
            text => OptionFactory.Integer(2)(text),
            "n"
        );
        Option<bool> ignoreEos = OptionFactory.Flag(
            "--ignore-eos",
            "Goes on to --max-length whatever the model says; synthetic models always do."
        );
        EngineSettings settings = new();
        NativeSettings native = new();
        Command command = new("generate", "Generates from one prompt: the text as it comes, then one line with the times.")
        {
            model,
            precision,
            engine,
            provider,
            prompt,
            template,
            addBos,
            maxLength,
            ignoreEos,
        };
        native.AddTo(command);
        settings.AddTo(command);

        command.SetAction(parsed =>
        {
            native.Use(parsed);
            SuiteOptions options = new()
            {
                Models = [parsed.GetValue(model) ?? "llama-125m"],
                Precisions = parsed.GetValue(precision) is { } asked ? [asked] : null,
                Engines = parsed.GetValue(engine) is { } name ? [name] : null,
                Providers = parsed.GetValue(provider) is { } place ? [place] : null,
                ChatTemplates = [parsed.GetValue(template) ?? "none"],
                AddBos = parsed.GetValue(addBos),
            };
            Generate(
                settings.Over(options, parsed),
                parsed.GetValue(prompt) ?? "OpenVINO is",
                parsed.GetValue(maxLength) ?? 143,
                parsed.GetValue(ignoreEos)
            );
            return ExitCode.Success;
        });
        return command;
    }

    private static void Generate(SuiteOptions options, string promptText, int maxLength, bool ignoreEos)
    {
        PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
        EngineChoice choice = EngineFamilies.Choose(context)[0];
        ExecutionProvider provider = choice.Provider!.Value;
        EngineKind kind = EngineCatalog.Get(choice.Engine);
        ModelFolder folder = context.Models.For(kind, OpenOrBuild(context, provider), provider, options.KeyValueType);
        PromptTokenizer tokenizer = PromptTokenizer.For(folder);
        TokenizedPrompt prompt = tokenizer.Tokenize(
            Prompt.Parse(promptText),
            options.PromptForm(options.ChatTemplates[0], folder.TokenizerFolder)
        );
        if (maxLength <= prompt.TokenIds.Length || maxLength > folder.ContextLength)
        {
            throw new UsageException(
                $"--max-length: {maxLength} is not above the prompt's {prompt.TokenIds.Length} tokens and within the model's context of "
                    + $"{folder.ContextLength}"
            );
        }

        bool stopAtEos = !ignoreEos && !folder.IsSynthetic;
        using IEngine engine = kind.Load(folder, context.EngineOptions(choice.Engine, provider) with { AllowEos = stopAtEos });
        StreamingDecoder text = tokenizer.Tokenizer.CreateStreamingDecoder();
        GenerationResult result = TimedGeneration.Run(
            engine,
            prompt.TokenIds,
            maxLength,
            token =>
            {
                Console.Write(text.Add(token));
                return !(stopAtEos && folder.EosTokenIds.Contains(token));
            }
        );
        Console.WriteLine(text.Finish());
        Console.WriteLine(Line(folder, engine.Description, result));
        if (engine.Description.PlacementWarning is { } warning)
        {
            Console.WriteLine($"These are not {provider}'s figures: {warning}.");
        }
    }

    private static ModelFolder OpenOrBuild(PlanContext context, ExecutionProvider provider)
    {
        string model = context.Options.Models[0];
        if (ModelVariant.IsFinished(model))
        {
            return ModelFolderReader.Open(model);
        }

        ModelVariant variant = new(model, context.Options.Precisions?[0] ?? Precision.Int4, BlockSize: 32, Folder: null);
        return context.Models.Prepare(variant.BuildOptions(provider));
    }

    private static string Line(ModelFolder folder, EngineDescription engine, GenerationResult result)
    {
        string decode = result.DecodeTps is { } tps ? string.Create(CultureInfo.InvariantCulture, $", decode {tps:0.0} tok/s") : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{folder.Name} on {engine.Engine}/{engine.Provider.ShownName()}: {result.PromptTokens} prompt + "
                + $"{result.NewTokens.Length} new tokens, "
                + $"TTFT {result.TtftMs:0.0} ms, prefill {result.PrefillTps:0.0} tok/s{decode}, "
                + $"end to end {result.EndToEndTps:0.0} tok/s "
                + $"(article's count {result.ArticleTps:0.0})"
                + $"{(folder.IsSynthetic ? "; synthetic weights: the speed is real, the text is noise" : "")}"
        );
    }
}
