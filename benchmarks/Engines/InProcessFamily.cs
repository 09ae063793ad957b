using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Engines;

/// <summary>Engines inside the suite. They measure model folders, made if they are not there, verified if that was asked for.</summary>
internal sealed class InProcessFamily : EngineFamily
{
    // Beyond weights: logits, activations, ONNX Runtime's arena and the process itself.
    private const double MemoryFactor = 1.15;

    // Best first.
    private static readonly ExecutionProvider[] s_preference =
    [
        ExecutionProvider.Dml,
        ExecutionProvider.Cuda,
        ExecutionProvider.WebGpu,
        ExecutionProvider.Cpu,
    ];

    public override IReadOnlyList<string> Names => EngineCatalog.Names;

    public override IReadOnlyList<ExecutionProvider> Places(string engine) => s_preference;

    public override Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options) =>
        EngineCatalog.Get(engine).Availability(provider);

    public override ExecutionProvider? BestPlace(string engine, PlanContext context) =>
        s_preference.FirstOrDefault(provider => IsThere(engine, provider), ExecutionProvider.Cpu);

    /// <summary>
    /// Every engine that is there, side by side, on each provider that was asked for; where none was, on the best one. A provider
    /// without any gets the first engine, whose row then says what is missing.
    /// </summary>
    public IReadOnlyList<(string Engine, ExecutionProvider Provider)> Open(SuiteOptions options)
    {
        IReadOnlyList<ExecutionProvider> providers =
            options.Providers
            ??
            [
                // A GPU with any engine goes before the CPU with all of them.
                s_preference.FirstOrDefault(provider => Names.Any(engine => IsThere(engine, provider)), ExecutionProvider.Cpu),
            ];
        return
        [
            .. from provider in providers
            from engine in Names.Where(engine => IsThere(engine, provider)).DefaultIfEmpty(Names[0])
            select (engine, provider),
        ];
    }

    public override IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context) =>
        Variants(model, context.Options).Select(variant => Subject(engine, provider ?? ExecutionProvider.Cpu, variant, context));

    public override IGenerator Load(PlannedCase planned) =>
        new EngineGenerator(EngineCatalog.Get(planned.Key.Engine).Load(ModelFolderReader.Open(planned.ModelPath), planned.EngineOptions));

    private static IEnumerable<ModelVariant> Variants(string model, SuiteOptions options)
    {
        if (ModelVariant.IsFinished(model))
        {
            ModelFolder folder = ModelFolderReader.Open(model);
            if (options.Precisions is { } wanted && !wanted.Contains(folder.Precision))
            {
                throw new UsageException(
                    $"--precision: {model} holds {folder.Precision.Name()} weights; leave --precision out or name that"
                );
            }

            return [new ModelVariant(model, folder.Precision, folder.BlockSize, folder)];
        }

        return from precision in options.Precisions ?? options.UsualPrecisions
            from block in precision is Precision.Int4 or Precision.Int8 ? options.BlockSizes.Select(size => (int?)size) : [null]
            select new ModelVariant(model, precision, block, null);
    }

    private static CaseSubject Subject(string engine, ExecutionProvider provider, ModelVariant variant, PlanContext context)
    {
        string? skip = WhyNot(engine, provider, variant, context);
        PromptTokenizer? tokenizer = skip is null ? context.TokenizerOf(variant.Name) : null;
        ModelFolder? folder = variant.Folder;
        if (folder is null && skip is null)
        {
            folder = context.Models.Prepare(BuildOptions(variant, provider, context));
        }

        EngineOptions engineOptions = context.EngineOptions(engine, provider) with
        {
            PrefillChunk = context.Options.PrefillChunk,
            Speculation = skip is null ? Speculation(provider, variant, context) : null,
        };
        return new CaseSubject(engine, provider.ShownName(), variant.Name)
        {
            ModelName = folder?.Name ?? variant.ShownName,
            Kind = EngineCatalog.Get(engine),
            Folder = folder,
            Path = folder?.Path ?? "",
            Sha256 = folder is null ? null : context.Models.Fingerprint(folder),
            IsReal = ModelVariant.IsReal(variant.Name),
            HiddenSize = folder?.HiddenSize,
            LayerCount = folder?.LayerCount,
            VocabularySize = folder?.VocabularySize,
            ContextLength = folder?.ContextLength,
            Precision = variant.Precision.Name(),
            BlockSize = variant.BlockSize,
            EngineOptions = engineOptions,
            Device = engineOptions.Device is null ? null : context.Device?.Name,
            OptionsText = OptionsText.Of(engineOptions),
            Tokenizer = folder is null ? null : tokenizer ?? PromptTokenizer.For(folder),
            Skip = skip,
            Failure = folder is null || skip is not null ? null : GraphNeeds.Refusal(folder, engine, provider.Target()),
        };
    }

    // A model that checks several tokens in one call gives the logits of all of them.
    private static ModelBuildOptions BuildOptions(ModelVariant variant, ExecutionProvider provider, PlanContext context) =>
        variant.BuildOptions(provider) with
        {
            PruneLmHead = context.Options.DraftModel is null && context.Options.Ngram is null,
        };

    private static Speculation? Speculation(ExecutionProvider provider, ModelVariant variant, PlanContext context)
    {
        SuiteOptions options = context.Options;
        if (options.DraftModel is not { } model)
        {
            return options.Ngram is { } size ? new Speculation(options.DraftTokens) { NgramSize = size } : null;
        }

        ModelFolder draft = ModelVariant.IsFinished(model)
            ? ModelFolderReader.Open(model)
            : context.Models.Prepare(BuildOptions(variant with { Name = model, Folder = null }, provider, context));
        return new Speculation(options.DraftTokens) { Draft = draft, DraftSha256 = context.Models.Fingerprint(draft) };
    }

    private static string? WhyNot(string engine, ExecutionProvider provider, ModelVariant variant, PlanContext context)
    {
        Availability availability = EngineCatalog.Get(engine).Availability(provider);
        if (!availability.IsAvailable)
        {
            return availability.Reason;
        }

        SuiteOptions options = context.Options;
        if (engine != "genai" && (options.DraftModel is not null || options.Ngram is not null || options.PrefillChunk is not null))
        {
            return $"{engine} has neither speculative decoding nor a divided prefill; --engine genai has both";
        }

        if (
            variant.Precision == Precision.Fp16
            && provider == ExecutionProvider.Cpu
            && context.Options.Precisions is null
            && variant.Folder is null
        )
        {
            return "fp16 on the CPU computes in fp32 and takes twice the memory; ask for it with --precision fp16";
        }

        return provider == ExecutionProvider.Cpu
            ? context.TooLarge(MemoryFactor * (variant.Folder?.WeightBytes ?? ModelBuilder.WeightBytes(variant.BuildOptions(provider))))
            : null;
    }

    private static bool IsThere(string engine, ExecutionProvider provider) => EngineCatalog.Get(engine).Availability(provider).IsAvailable;
}
