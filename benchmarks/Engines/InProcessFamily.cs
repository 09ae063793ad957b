using Llama3Perf.Benchmarks.Planning;
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

    public override IReadOnlyList<ExecutionProvider> Places(string engine) => EngineCatalog.Get(engine).Places;

    public override Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options) =>
        EngineCatalog.Get(engine).Availability(provider);

    public override ExecutionProvider? BestPlace(string engine, PlanContext context) =>
        Places(engine).FirstOrDefault(provider => IsThere(engine, provider), ExecutionProvider.Cpu);

    /// <summary>The best engine on each provider that was asked for; where none was, the one best of all.</summary>
    public IReadOnlyList<(string Engine, ExecutionProvider Provider)> Best(SuiteOptions options)
    {
        string[] names = Readers(options.Models);

        // Providers outermost: a GPU with any engine goes before the CPU with the best one.
        (string Engine, ExecutionProvider Provider)[] available =
        [
            .. from provider in options.Providers ?? s_preference
            from engine in names
            where IsThere(engine, provider)
            select (engine, provider),
        ];
        if (options.Providers is not null)
        {
            return
            [
                .. options.Providers.Select(provider =>
                    available.FirstOrDefault(pair => pair.Provider == provider, (Engine: names[0], Provider: provider))
                ),
            ];
        }

        return available is [var best, ..] ? [best] : [(names[0], ExecutionProvider.Cpu)];
    }

    // Engines that read at least one of the models, or of what is made of them.
    private static string[] Readers(IReadOnlyList<string> models) =>
        models.All(model => ModelFolderReader.IsModelFolder(model) && ModelFolderReader.Open(model).Format == ModelFormat.Gguf)
            ? [.. EngineCatalog.All.Where(kind => kind.Format == ModelFormat.Gguf).Select(kind => kind.Name)]
            : [.. EngineCatalog.Names];

    public override IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context) =>
        ModelVariant
            .All(model, context.Options)
            .Where(variant => context.Options.Engines is not null || IsForFormat(engine, variant))
            .Select(variant => Subject(engine, provider ?? ExecutionProvider.Cpu, variant, context));

    public override IGenerator Load(PlannedCase planned) =>
        new EngineGenerator(EngineCatalog.Get(planned.Key.Engine).Load(ModelFolderReader.Open(planned.ModelPath), planned.EngineOptions));

    private static CaseSubject Subject(string engine, ExecutionProvider provider, ModelVariant variant, PlanContext context)
    {
        EngineKind kind = EngineCatalog.Get(engine);
        string? skip = WhyNot(engine, provider, variant, context);
        PromptTokenizer? tokenizer = skip is null ? context.TokenizerOf(variant.Name) : null;
        ModelFolder? folder = variant.Folder;
        if (skip is null)
        {
            (folder, skip) = Prepared(kind, provider, variant, context);
        }

        EngineOptions engineOptions = context.EngineOptions(engine, provider);
        return new CaseSubject(engine, provider.Name(), variant.Name)
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
            Precision = folder?.Storage ?? variant.Precision.Name(),
            BlockSize = variant.BlockSize,
            EngineOptions = engineOptions,
            Device = engineOptions.Device is null ? null : context.Device?.Name,
            OptionsText = OptionsText.Of(engineOptions),
            Tokenizer = folder is null ? null : tokenizer ?? PromptTokenizer.For(folder),
            Skip = skip,
            Failure = folder is null || skip is not null ? null : GraphNeeds.Refusal(folder, engine, provider.Target()),
            Source = folder is null || skip is not null ? null : Source(kind, provider, variant, context),
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
            return (variant.Folder ?? context.Models.Prepare(variant.BuildOptions(provider)), null);
        }

        try
        {
            return (context.Models.GgufOf(variant, provider), null);
        }
        catch (ModelException e)
        {
            return (null, e.Message);
        }
    }

    // What another engine computes from in a comparison of the two; null where it is the same folder.
    private static ModelFolder? Source(EngineKind kind, ExecutionProvider provider, ModelVariant variant, PlanContext context) =>
        kind.Format == ModelFormat.Onnx || variant.Folder?.Format == ModelFormat.Gguf
            ? null
            : variant.Folder ?? context.Models.Prepare(variant.BuildOptions(provider));

    // Where no engine was named, those that read the file are meant.
    private static bool IsForFormat(string engine, ModelVariant variant) =>
        variant.Folder?.Format != ModelFormat.Gguf || EngineCatalog.Get(engine).Format == ModelFormat.Gguf;

    private static string? WhyNot(string engine, ExecutionProvider provider, ModelVariant variant, PlanContext context)
    {
        Availability availability = EngineCatalog.Get(engine).Availability(provider);
        if (!availability.IsAvailable)
        {
            return availability.Reason;
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
