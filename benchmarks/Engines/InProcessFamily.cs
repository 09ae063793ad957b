using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.External;
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

    public override IReadOnlyList<ExecutionProvider> Places(string engine) => EngineCatalog.Get(engine).Places;

    public override Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options) =>
        EngineCatalog.Get(engine).Availability(provider);

    public override ExecutionProvider? BestPlace(string engine, PlanContext context) =>
        Places(engine).FirstOrDefault(provider => IsThere(engine, provider), ExecutionProvider.Cpu);

    /// <summary>
    /// Every engine that is there, side by side, on each provider that was asked for; where none was, on the best one. A provider
    /// without any gets the first engine, whose row then says what is missing.
    /// </summary>
    public IReadOnlyList<(string Engine, ExecutionProvider Provider)> Open(SuiteOptions options)
    {
        string[] names = Readers(options.Models);
        IReadOnlyList<ExecutionProvider> providers =
            options.Providers
            ??
            [
                // A GPU with any engine goes before the CPU with all of them.
                s_preference.FirstOrDefault(provider => names.Any(engine => IsThere(engine, provider)), ExecutionProvider.Cpu),
            ];
        return
        [
            .. from provider in providers
            from engine in names.Where(engine => IsThere(engine, provider)).DefaultIfEmpty(names[0])
            select (engine, provider),
        ];
    }

    // Engines that read at least one of the models, or of what is made of them.
    private static string[] Readers(IReadOnlyList<string> models) =>
        models.All(ModelFolderReader.IsGguf)
            ? [.. EngineCatalog.All.Where(kind => kind.Format == ModelFormat.Gguf).Select(kind => kind.Name)]
            : [.. EngineCatalog.Names];

    public override IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context) =>
        ModelVariant
            .All(model, context.Options)
            .Where(variant => context.Options.Engines is not null || IsForFormat(engine, variant))
            .Select(variant => Subject(engine, provider ?? ExecutionProvider.Cpu, variant, context));

    public override IGenerator Load(PlannedCase planned) =>
        new EngineGenerator(
            EngineCatalog.Get(planned.Key.Engine).LoadPlaced(ModelFolderReader.Open(planned.ModelPath), planned.EngineOptions)
        );

    private static CaseSubject Subject(string engine, ExecutionProvider provider, ModelVariant variant, PlanContext context)
    {
        EngineKind kind = EngineCatalog.Get(engine);
        string? skip = WhyNot(engine, provider, variant, context);
        PromptTokenizer? tokenizer = skip is null ? context.TokenizerOf(variant.Name) : null;
        ModelFolder? folder = variant.Folder;
        if (skip is null)
        {
            (folder, skip) = context.Options.DryRun
                ? (variant.Folder ?? context.Models.Find(BuildOptions(variant, provider, context)), null)
                : Prepared(kind, provider, variant, context);
        }

        EngineOptions engineOptions = context.EngineOptions(engine, provider) with
        {
            PrefillChunk = context.Options.PrefillChunk,
            Speculation = skip is null ? Speculation(provider, variant, context) : null,
        };
        (long? Weights, long? Cache) bytes = folder is null
            ? (null, null)
            : ModelPreparation.BytesPerToken(folder, engineOptions.KeyValueType);
        return new CaseSubject(engine, provider.ShownName(), variant.Name)
        {
            ModelName = folder?.Name ?? variant.ShownName,
            Kind = kind,
            Folder = folder,
            Path = folder?.Path ?? "",
            Sha256 = folder is null || context.Options.DryRun ? null : context.Models.Fingerprint(folder),
            IsReal = ModelVariant.IsReal(variant.Name),
            HiddenSize = folder?.HiddenSize,
            LayerCount = folder?.LayerCount,
            VocabularySize = folder?.VocabularySize,
            ContextLength = folder?.ContextLength,
            Precision = folder?.Storage ?? variant.Precision.Name(),
            BlockSize = variant.BlockSize,
            WeightBytesPerToken =
                folder is not null ? bytes.Weights
                : skip is null ? ModelBuilder.WeightBytes(variant.BuildOptions(provider))
                : null,
            CacheBytesPerToken = bytes.Cache,
            EngineOptions = engineOptions,
            Device = engineOptions.Device is null ? null : context.Device?.Name,
            OptionsText = OptionsText.Of(
                engineOptions,
                skip is null && folder is not null ? kind.FolderOptions(folder, engineOptions) : null
            ),
            Tokenizer = tokenizer ?? (folder is null ? null : PromptTokenizer.For(folder)),
            Skip = skip,
            Failure = folder is null || skip is not null ? null : GraphNeeds.Refusal(folder, engine, provider.Target()),
            Source = folder is null || skip is not null || context.Options.DryRun ? null : Source(kind, provider, variant, context),
        };
    }

    // The GGUF file is made of the ONNX folder, so that both hold the same numbers.
    private static (ModelFolder? Folder, string? Skip) Prepared(
        EngineKind kind,
        ExecutionProvider provider,
        ModelVariant variant,
        PlanContext context
    )
    {
        if (kind.Format == ModelFormat.Onnx)
        {
            ModelFolder folder = variant.Folder is { } given
                ? context.Models.Given(given)
                : context.Models.Prepare(BuildOptions(variant, provider, context));
            return MadeOf(() => context.Models.For(kind, folder, provider, context.Options.KeyValueType));
        }

        return MadeOf(() => context.Models.GgufOf(variant, provider));

        static (ModelFolder? Folder, string? Skip) MadeOf(Func<ModelFolder> make)
        {
            try
            {
                return (make(), null);
            }
            catch (ModelException e)
            {
                return (null, e.Message);
            }
        }
    }

    // What the folder was made of, which a comparison computes from; null where it is the same folder.
    private static ModelFolder? Source(EngineKind kind, ExecutionProvider provider, ModelVariant variant, PlanContext context) =>
        (kind.Format == ModelFormat.Onnx && context.Options.KeyValueType is not (KeyValueType.Int8 or KeyValueType.Int4))
        || variant.Folder?.Format == ModelFormat.Gguf
            ? null
            : variant.Folder ?? context.Models.Prepare(BuildOptions(variant, provider, context));

    // Where no engine was named, those that read the file are meant.
    private static bool IsForFormat(string engine, ModelVariant variant) =>
        variant.Folder?.Format != ModelFormat.Gguf || EngineCatalog.Get(engine).Format == ModelFormat.Gguf;

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
        if (variant.Precision == Precision.Bf16)
        {
            return $"{engine} has no bf16; {string.Join(" and ", PeerCatalog.NamesWith(Precision.Bf16))} have it";
        }

        Availability availability = EngineCatalog.Get(engine).Availability(provider);
        if (!availability.IsAvailable)
        {
            // What no library would mend comes first.
            return variant.Folder is { } finished && GraphNeeds.Refusal(finished, engine, provider.Target()) is { } refusal
                ? refusal
                : availability.Reason;
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
