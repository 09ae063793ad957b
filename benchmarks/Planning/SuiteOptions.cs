using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Where a case is measured.</summary>
public enum Isolation
{
    /// <summary>A child process for every launch of every case.</summary>
    Process,

    /// <summary>This process; a model stays loaded between cases that share it.</summary>
    None,
}

/// <summary>How launches of several cases follow one another.</summary>
public enum LaunchOrder
{
    /// <summary>One of each case in random order, then the next one of each: what drifts over the minutes meets all cases alike.</summary>
    Random,

    /// <summary>All of a case in a row.</summary>
    Fixed,
}

/// <summary>What the user asked the suite to measure: the command line after checking. Null means "not asked for".</summary>
public sealed record SuiteOptions
{
    public IReadOnlyList<string> Models { get; init; } = ["llama-125m"];

    public IReadOnlyList<Precision>? Precisions { get; init; }

    /// <summary>What a shape is measured at when no precision was asked for. A folder has its own.</summary>
    public IReadOnlyList<Precision> UsualPrecisions { get; init; } = [Precision.Int4, Precision.Int8, Precision.Fp16];

    public IReadOnlyList<int> BlockSizes { get; init; } = [32];

    public IReadOnlyList<string>? Engines { get; init; }

    public IReadOnlyList<ExecutionProvider>? Providers { get; init; }

    public string? Device { get; init; }

    /// <summary>Python of the external engines; null looks for one.</summary>
    public string? Python { get; init; }

    /// <summary>Path of llama-bench, which asks for that engine too; null looks on the PATH where that engine is named.</summary>
    public string? LlamaBench { get; init; }

    /// <summary>File that llama-bench loads; null looks in the model's folder, and makes one of the model.</summary>
    public string? Gguf { get; init; }

    /// <summary>Address of an OpenAI-compatible server, which asks for that engine too; null contacts none.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>That server's name of the model.</summary>
    public string? ApiModel { get; init; }

    /// <summary>Options that external engines give to their programs.</summary>
    public IReadOnlyDictionary<string, string> PeerOptions { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> ProviderOptions { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> SessionEntries { get; init; } = new Dictionary<string, string>();

    public OptimizationLevel Optimization { get; init; } = OptimizationLevel.All;

    /// <summary>How tokens travel from step to step; null takes each engine's own.</summary>
    public DecodeLoop? Loop { get; init; }

    /// <summary>Type of the KV cache; null for each engine's usual one.</summary>
    public KeyValueType? KeyValueType { get; init; }

    /// <summary>Whether llama.cpp fuses its attention.</summary>
    public FlashAttention FlashAttention { get; init; } = FlashAttention.Auto;

    /// <summary>Shape, checkpoint or folder of the model that proposes tokens; null for none.</summary>
    public string? DraftModel { get; init; }

    /// <summary>Pattern length of speculation without a draft model; null for none.</summary>
    public int? Ngram { get; init; }

    /// <summary>Most tokens that are proposed at once.</summary>
    public int DraftTokens { get; init; } = 4;

    /// <summary>Prompt tokens that are processed at once; null takes prompts whole.</summary>
    public int? PrefillChunk { get; init; }

    public IReadOnlyList<string> Prompts { get; init; } = ["OpenVINO is", "pp512"];

    /// <summary>Each text prompt is measured in each of them.</summary>
    public IReadOnlyList<string> ChatTemplates { get; init; } = ["none"];

    /// <summary>True puts the configuration's BOS in front of prompts whose tokenizer adds none.</summary>
    public bool AddBos { get; init; }

    /// <summary>How texts become prompts.</summary>
    /// <param name="template">One of <see cref="ChatTemplates"/>.</param>
    /// <param name="folder">Of the model, which may have a chat template of its own.</param>
    public PromptForm PromptForm(string template, string folder) =>
        new(template == ModelChatTemplate.Name ? ModelChatTemplate.Of(folder) : ChatTemplate.Get(template), AddBos);

    /// <summary>The templates of a prompt: token ids are wrapped in none and are one prompt, whatever texts are wrapped in.</summary>
    public IEnumerable<string> TemplatesOf(Prompt prompt) => prompt.TokenCount is null ? ChatTemplates : ChatTemplates.Take(1);

    /// <summary>True tells the results as the 2024 article told its own, too.</summary>
    public bool AsArticle { get; init; }

    public IReadOnlyList<int>? MaxLengths { get; init; }

    /// <summary>New tokens after any prompt, in place of <see cref="MaxLengths"/>.</summary>
    public int? NewTokens { get; init; }

    public int? Threads { get; init; }

    /// <summary>Several numbers of threads, each with every model, in place of <see cref="Threads"/>; null for that one.</summary>
    public IReadOnlyList<int>? ThreadCounts { get; init; }

    public int Launches { get; init; } = 3;

    /// <summary>Launches until each case's decode rate is known within so much, as a part: 0.01 is ±1 %; null for
    /// <see cref="Launches"/>.</summary>
    public double? Until { get; init; }

    /// <summary>What <see cref="Until"/> may take.</summary>
    internal Budget Budget { get; init; } = new(TimeSpan.FromMinutes(10), null);

    /// <summary>How launches follow one another; null takes the best that the isolation allows.</summary>
    public LaunchOrder? Order { get; init; }

    /// <summary>Seed of a random order; null draws one.</summary>
    public int? Seed { get; init; }

    /// <summary>The order as results tell it.</summary>
    internal string OrderText => Order == LaunchOrder.Random ? $"random {Seed}" : "fixed";

    public int Warmups { get; init; } = 1;

    public int Iterations { get; init; } = 5;

    /// <summary>How long a launch measures at least: as many more <see cref="Iterations"/> as that takes.</summary>
    public TimeSpan LeastMeasured { get; init; } = TimeSpan.FromSeconds(1);

    public Isolation Isolation { get; init; } = Isolation.Process;

    public TimeSpan Cooldown { get; init; }

    /// <summary>How long to wait for a quiet machine before the first case.</summary>
    public TimeSpan WaitIdle { get; init; }

    /// <summary>True measures on a quiet machine only.</summary>
    public bool Strict { get; init; }

    /// <summary>Whether ONNX Runtime's idle threads spin: its session entry; null leaves its default, which is to spin.</summary>
    public string? Spin { get; init; }

    /// <summary>Folder of the run's files; null takes a new one under artifacts/results.</summary>
    public string? Output { get; init; }

    /// <summary>What the user calls the run.</summary>
    public string? Label { get; init; }

    /// <summary>True lists what would be measured, and builds and measures nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Only these cases, by case_id; null for all.</summary>
    public IReadOnlyList<string>? Cases { get; init; }

    /// <summary>What each model is verified against before it is timed: <c>cpu</c>, which null means too, the path of a reference.json, or
    /// <c>off</c>.</summary>
    public string? Verify { get; init; }

    public bool Verbose { get; init; }

    /// <summary>Longest time of a launch; null for what its first generations let expect.</summary>
    public TimeSpan? LaunchTimeout { get; init; }

    /// <summary>True goes on with the interrupted run at <see cref="Output"/>.</summary>
    public bool Resume { get; init; }

    /// <summary>True writes paths into result files as they are; else the home folder is <c>~</c>.</summary>
    public bool KeepPaths { get; init; }

    /// <summary>True replaces a folder without our marker that holds nothing but files of our names.</summary>
    public bool Force { get; init; }

    /// <summary>The only models that may be measured, by model_sha256; null for any.</summary>
    public IReadOnlyList<string?>? ExpectedModels { get; init; }

    /// <summary>What the command line holds beside our own options, for BenchmarkDotNet.</summary>
    public IReadOnlyList<string> BenchmarkDotNetArguments { get; init; } = [];
}
