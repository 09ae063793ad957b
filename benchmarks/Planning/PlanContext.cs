using System.Globalization;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>What planning looks at: what was asked for, the machine as it was probed once, and where model folders come from.</summary>
/// <exception cref="EngineException"><c>--device</c> fits no adapter, or several.</exception>
internal sealed class PlanContext(SuiteOptions options, MachineInfo machine, ModelPreparation models)
{
    private const string Intel = "0x8086";

    private readonly Dictionary<string, PromptTokenizer?> _tokenizers = [];

    public SuiteOptions Options => options;

    public MachineInfo Machine => machine;

    public ModelPreparation Models => models;

    /// <summary>The adapter that was asked for.</summary>
    public GpuInfo? Device { get; } = options.Device is { } device ? DeviceSelector.Select(machine.Gpus, device) : null;

    /// <summary>Memory in bytes that a model can still take; null where the system does not tell.</summary>
    public Func<long?> AvailableMemory { get; init; } = MachineProbe.AvailableMemoryBytes;

    /// <summary>Name, version and hash of the library that brings a provider; null where none was named.</summary>
    public Func<string?> ProviderLibrary { get; init; } = () => PluginProvider.Identity;

    /// <summary>This context for each number of threads that was asked for.</summary>
    public IReadOnlyList<PlanContext> ByThreads =>
        options.ThreadCounts is { } counts
            ?
            [
                .. counts.Select(count => new PlanContext(options with { Threads = count, ThreadCounts = null }, machine, models)
                {
                    AvailableMemory = AvailableMemory,
                    ProviderLibrary = ProviderLibrary,
                }),
            ]
            : [this];

    /// <summary>Threads of an engine on the CPU.</summary>
    public int CpuThreads => options.Threads ?? PhysicalCores.Count;

    /// <summary>What the user's options mean for an engine on a provider. An adapter is never the CPU's.</summary>
    /// <exception cref="EngineException">It is none of this process's engines.</exception>
    public EngineOptions EngineOptions(string engine, ExecutionProvider provider)
    {
        EngineKind kind = EngineCatalog.Get(engine);
        return kind.Format == ModelFormat.Gguf
            ? Placed(provider) with
            {
                KeyValueType = options.KeyValueType,
                FlashAttention = options.FlashAttention,
            }
            : OnnxRuntimeOptions(kind, provider);
    }

    // What is another runtime's to know is no part of a case.
    private EngineOptions Placed(ExecutionProvider provider) =>
        new()
        {
            Provider = provider,
            Device = DeviceIndex(provider)?.ToString(CultureInfo.InvariantCulture),
            ProviderLibrary = provider == ExecutionProvider.Plugin ? ProviderLibrary() : null,
            Threads = provider == ExecutionProvider.Cpu ? CpuThreads : options.Threads,
        };

    private EngineOptions OnnxRuntimeOptions(EngineKind kind, ExecutionProvider provider) =>
        Placed(provider) with
        {
            Optimization = options.Optimization,
            // Other types are the graph's own.
            KeyValueType = options.KeyValueType is KeyValueType.Int8 or KeyValueType.Int4 ? options.KeyValueType : null,
            Loop = kind.DefaultLoop(provider) is { } usual ? options.Loop ?? usual : null,
            SessionEntries = SpinEntries.Over(
                options.Spin ?? (provider == ExecutionProvider.Cpu ? SpinEntries.Usual : null),
                Of(kind.Name, options.SessionEntries, EngineCatalog.Names)
            ),
            ProviderOptions =
                provider == ExecutionProvider.Cpu
                    ? new Dictionary<string, string>()
                    : Of(kind.Name, options.ProviderOptions, EngineCatalog.Names),
        };

    /// <summary>The options that reach one of several owners: <c>genai:enable_cuda_graph</c> is genai's alone and wins over the same option
    /// for all.</summary>
    public static Dictionary<string, string> Of(string engine, IReadOnlyDictionary<string, string> options, IReadOnlyList<string> owners)
    {
        Dictionary<string, string> own = [];
        foreach ((string key, string value) in options.OrderBy(option => Owner(option.Key, owners) is not null))
        {
            string? owner = Owner(key, owners);
            if (owner is null || owner == engine)
            {
                own[owner is null ? key : key[(owner.Length + 1)..]] = value;
            }
        }

        return own;
    }

    private static string? Owner(string key, IReadOnlyList<string> owners) =>
        owners.FirstOrDefault(name => key.StartsWith($"{name}:", StringComparison.Ordinal));

    /// <summary>The number under which a provider knows the adapter that was asked for; null for the CPU and where none was.</summary>
    public int? DeviceIndex(ExecutionProvider provider) =>
        (Device, provider) switch
        {
            (null, _) or (_, ExecutionProvider.Cpu or ExecutionProvider.Npu) => null,
            ({ } gpu, ExecutionProvider.Cuda) => CudaDevices.IndexOf(gpu) ?? gpu.Index,
            ({ VendorId: Intel } gpu, ExecutionProvider.Xpu) => machine
                .Gpus.Where(other => other.VendorId == Intel)
                .TakeWhile(other => other != gpu)
                .Count(),
            ({ } gpu, _) => gpu.Index,
        };

    /// <summary>
    /// The tokenizer of what has one already, a model folder or a checkpoint; null for the others. Prompts that it cannot make are refused
    /// here, before hours go into a conversion.
    /// </summary>
    public PromptTokenizer? TokenizerOf(string model)
    {
        if (!_tokenizers.TryGetValue(model, out PromptTokenizer? tokenizer))
        {
            tokenizer =
                ModelFolderReader.IsModelFolder(model) ? PromptTokenizer.For(ModelFolderReader.Open(model))
                : Checkpoint.IsCheckpoint(model) ? PromptTokenizer.For(Checkpoint.Open(model))
                : null;
            foreach (Prompt prompt in tokenizer is null ? [] : options.Prompts.Select(Prompt.Parse))
            {
                foreach (string template in options.TemplatesOf(prompt))
                {
                    _ = tokenizer!.Tokenize(prompt, options.PromptForm(template, tokenizer.Folder));
                }
            }

            _tokenizers.Add(model, tokenizer);
        }

        return tokenizer;
    }

    /// <summary>Why a model of so many bytes does not fit into memory; null when it does, or when nobody knows.</summary>
    public string? TooLarge(double bytes) =>
        AvailableMemory() is { } free && bytes > free
            ? FormattableString.Invariant($"the model needs about {bytes / 1e9:0.0} GB of memory and {free / 1e9:0.0} GB are free")
            : null;
}
