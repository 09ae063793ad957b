using Llama3Perf.Benchmarks.CommandLine;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Prompts;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Shapes;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Suite;

/// <summary>Works out every case of a run and why some of them cannot run, and makes the model folders that they need.</summary>
internal sealed class CasePlanner(SuiteOptions options, ModelPreparation models)
{
    // Beyond weights: logits, activations, ONNX Runtime's arena and the process itself.
    private const double MemoryFactor = 1.15;

    private readonly List<PlannedCase> _cases = [];

    // Engines take an index; results keep the adapter's name.
    private readonly GpuInfo? _device = options.Device is { } device ? DeviceSelector.Select(MachineProbe.Capture().Gpus, device) : null;

    private readonly CaseVerification? _verification = options.Verify is { } reference ? new CaseVerification(reference) : null;

    public IReadOnlyList<PlannedCase> Plan()
    {
        foreach ((string engine, ExecutionProvider provider) in EngineChoice.Of(options))
        {
            foreach (string model in options.Models)
            {
                foreach (ModelVariant variant in Variants(model))
                {
                    PlanVariant(engine, provider, variant);
                }
            }
        }

        if (_cases.GroupBy(planned => planned.CaseId).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new UsageException($"two cases are named {twice.Key}: name each model, prompt and length once, and give folders different names");
        }

        if (options.Cases is not { } wanted)
        {
            return _cases;
        }

        return wanted.FirstOrDefault(id => !_cases.Exists(planned => planned.CaseId == id)) is { } unknown
            ? throw new UsageException($"--case: there is no '{unknown}' among {string.Join(", ", _cases.Select(planned => planned.CaseId))}")
            : [.. _cases.Where(planned => wanted.Contains(planned.CaseId))];
    }

    private IEnumerable<ModelVariant> Variants(string model)
    {
        if (ModelVariant.IsFinished(model))
        {
            ModelFolder folder = ModelFolder.Open(model);
            if (options.Precisions is { } wanted && !wanted.Contains(folder.Precision))
            {
                throw new UsageException($"--precision: {model} holds {folder.Precision.ToString().ToLowerInvariant()} weights; leave --precision out or name that");
            }

            return [new ModelVariant(model, folder.Precision, folder.BlockSize, folder)];
        }

        return from precision in options.Precisions ?? options.UsualPrecisions
               from block in precision is Precision.Int4 or Precision.Int8 ? options.BlockSizes.Select(size => (int?)size) : [null]
               select new ModelVariant(model, precision, block, null);
    }

    private void PlanVariant(string engine, ExecutionProvider provider, ModelVariant variant)
    {
        string? skip = WhyNot(engine, provider, variant);
        ModelFolder? folder = variant.Folder;
        if (folder is null && skip is null)
        {
            folder = models.Prepare(variant.BuildOptions(provider));
        }

        string? failure = folder is null || skip is not null || _verification is null
            ? null
            : _verification.Failure(new VerifiedSide(folder, engine, Options(provider, Threads(provider))));
        ModelTokenizer? tokenizer = folder is null ? null : ModelTokenizer.Open(folder);
        foreach (string text in options.Prompts)
        {
            Prompt prompt = Prompt.Parse(text);
            TokenizedPrompt? tokens = tokenizer is null ? null : prompt.Tokenize(tokenizer, ChatTemplate.Get(options.ChatTemplate));
            foreach (int maxLength in options.MaxLengths ?? [DefaultMaxLength(tokens?.TokenIds.Length ?? prompt.TokenCount)])
            {
                Add(engine, provider, variant, folder, prompt, tokens, maxLength, skip ?? WhyNot(folder!, tokens!, maxLength), failure);
            }
        }
    }

    private void Add(
        string engine, ExecutionProvider provider, ModelVariant variant, ModelFolder? folder, Prompt prompt, TokenizedPrompt? tokens, int maxLength, string? skip, string? failure)
    {
        string providerName = provider.ToString().ToLowerInvariant();
        int? threads = Threads(provider);
        CaseKey key = new()
        {
            Engine = engine,
            Provider = providerName,
            Device = _device?.Name,
            ModelName = folder?.Name ?? variant.ShownName,
            ModelSha256 = folder is null ? null : models.Fingerprint(folder),
            Weights = variant.IsReal ? "real" : "synthetic",
            HiddenSize = folder?.HiddenSize,
            LayerCount = folder?.LayerCount,
            VocabularySize = folder?.VocabularySize,
            Precision = variant.Precision.ToString().ToLowerInvariant(),
            BlockSize = variant.BlockSize,
            PromptId = prompt.Id,
            PromptSha256 = tokens?.Sha256,
            ChatTemplate = options.ChatTemplate,
            PromptTokens = tokens?.TokenIds.Length,
            MaxLength = maxLength,
            Threads = threads,
        };
        _cases.Add(new PlannedCase
        {
            Parameters = new CaseParameters(key.ModelName, engine, providerName, variant.Label, prompt.Id, maxLength),
            CaseId = Results.Rows.CaseId.For(key),
            Key = key,
            SkipReason = skip,
            Failure = skip is null ? failure : null,
            ModelFolder = folder?.Path ?? "",
            EngineOptions = Options(provider, threads),
            PromptTokens = tokens?.TokenIds ?? [],
        });
    }

    private int? Threads(ExecutionProvider provider) => provider == ExecutionProvider.Cpu ? options.Threads ?? PhysicalCores.Count : options.Threads;

    private EngineOptions Options(ExecutionProvider provider, int? threads) => new()
    {
        Provider = provider,
        Device = _device?.Index.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Threads = threads,
        Optimization = options.Optimization,
        SessionEntries = options.SessionEntries,
        ProviderOptions = options.ProviderOptions,
    };

    private string? WhyNot(string engine, ExecutionProvider provider, ModelVariant variant)
    {
        Availability availability = EngineCatalog.Get(engine).Availability(provider);
        if (!availability.IsAvailable)
        {
            return availability.Reason;
        }

        if (variant.Precision == Precision.Fp16 && provider == ExecutionProvider.Cpu && options.Precisions is null && variant.Folder is null)
        {
            return "fp16 on the CPU computes in fp32 and takes twice the memory; ask for it with --precision fp16";
        }

        long needed = (long)(MemoryFactor * (variant.Folder?.WeightBytes ?? ModelBuilder.WeightBytes(variant.BuildOptions(provider))));
        return provider == ExecutionProvider.Cpu && MachineProbe.AvailableMemoryBytes() is { } free && needed > free
            ? FormattableString.Invariant($"the model needs about {needed / 1e9:0.0} GB of memory and {free / 1e9:0.0} GB are free")
            : null;
    }

    private static string? WhyNot(ModelFolder folder, TokenizedPrompt tokens, int maxLength)
    {
        if (maxLength <= tokens.TokenIds.Length)
        {
            return $"the prompt has {tokens.TokenIds.Length} tokens and --max-length {maxLength} leaves no room for new ones";
        }

        return maxLength > folder.ContextLength ? $"--max-length {maxLength} is above the model's context of {folder.ContextLength}" : null;
    }

    // The article's figure, and for longer prompts as many new tokens as it had.
    private int DefaultMaxLength(int? promptTokens) => options.NewTokens is { } newTokens
        ? (promptTokens ?? 0) + newTokens
        : promptTokens is > 143 - 16 and var tokens ? tokens + 128 : 143;
}

/// <summary>One set of weights to measure: a folder as it is, or a shape at a precision.</summary>
internal sealed record ModelVariant(string Name, Precision Precision, int? BlockSize, ModelFolder? Folder)
{
    /// <summary>True for what is measured as it is; a shape's name, a config.json and a checkpoint are built first.</summary>
    public static bool IsFinished(string model) => Directory.Exists(model) && (ModelFolder.IsModelFolder(model) || !Checkpoint.IsCheckpoint(model));

    /// <summary>What results call it while there is no folder.</summary>
    public string ShownName => Path.Exists(Name) ? LlamaShape.Load(Name).Name : Name;

    /// <summary>True when its weights are somebody's and not random.</summary>
    public bool IsReal => Folder is { } folder ? !folder.IsSynthetic : Checkpoint.IsCheckpoint(Name);

    /// <summary>The precision as tables show it; block size 32 is the usual one and goes unsaid.</summary>
    public string Label => BlockSize is null or 32 ? Precision.ToString().ToLowerInvariant() : $"{Precision.ToString().ToLowerInvariant()}-b{BlockSize}";

    public ModelBuildOptions BuildOptions(ExecutionProvider provider) => new()
    {
        Shape = Name,
        Precision = Precision,
        BlockSize = BlockSize ?? 32,
        Target = provider switch
        {
            ExecutionProvider.Dml => GraphTarget.DirectML,
            ExecutionProvider.Cuda => GraphTarget.Cuda,
            ExecutionProvider.WebGpu => GraphTarget.WebGpu,
            _ => GraphTarget.Cpu,
        },
    };
}
