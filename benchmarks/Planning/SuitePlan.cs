using System.Text.Json;
using System.Text.Json.Serialization;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>One case of a run, worked out before anything is measured. BenchmarkDotNet's parameter of the main job.</summary>
public sealed record PlannedCase
{
    /// <summary>Stands where there is no case, so that the main job can be listed; never measured.</summary>
    public static PlannedCase None { get; } =
        new()
        {
            CaseId = "none",
            Key = new CaseKey
            {
                Engine = "",
                Provider = "",
                ModelName = "",
                Weights = "",
                Precision = "",
                PromptId = "",
                ChatTemplate = "",
                MaxLength = 0,
            },
            ModelPath = "",
            EngineOptions = new EngineOptions(),
            PromptTokens = [],
        };

    /// <summary>The case's name, in this run and in every file: nobody works it out again.</summary>
    public required string CaseId { get; init; }

    /// <summary>What was asked for.</summary>
    public required CaseKey Key { get; init; }

    /// <summary>Why the case cannot run here; null when it can.</summary>
    public string? SkipReason { get; init; }

    /// <summary>Why the case has failed before it was measured: its model was verified and computes something else; null when it may
    /// run.</summary>
    public string? Failure { get; init; }

    /// <summary>Whether its answers are right.</summary>
    public VerificationOutcome Verification { get; init; } = VerificationOutcome.Unknown;

    /// <summary>What the engine loads: a model folder, a checkpoint or a file.</summary>
    public required string ModelPath { get; init; }

    public required EngineOptions EngineOptions { get; init; }

    /// <summary>The program that generates, for an external engine; null for engines inside the suite.</summary>
    public PeerOptions? Peer { get; init; }

    /// <summary>The program that measures by itself; null when BenchmarkDotNet measures.</summary>
    public string? BenchProgram { get; init; }

    /// <summary>The prompt as text, chat template applied; null for pseudo-random tokens.</summary>
    public string? PromptText { get; init; }

    /// <summary>How long the prompt took to tokenize, ms; null for pseudo-random tokens.</summary>
    public double? TokenizeMs { get; init; }

    /// <summary>Bytes of weights that a decoded token reads; null where the engine's own program holds the model.</summary>
    public long? WeightBytesPerToken { get; init; }

    /// <summary>Bytes of KV cache that a token of the sequence takes; null where they are not known.</summary>
    public long? CacheBytesPerToken { get; init; }

    /// <summary>Made once, by our tokenizer, so that every engine reads the same ids.</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }

    /// <summary>True when the model stays loaded for the next case: everything is measured in one process.</summary>
    public bool KeepModelLoaded { get; init; }

    /// <summary>True when the case is to be measured.</summary>
    [JsonIgnore]
    public bool IsRunnable => SkipReason is null && Failure is null;

    /// <summary>The case's name: what BenchmarkDotNet shows of the parameter.</summary>
    public override string ToString() => CaseId;
}

/// <summary>What a run measures: the cases of the main job, and the model folders that the other benchmarks take.</summary>
public sealed record SuitePlan(IReadOnlyList<PlannedCase> Cases, IReadOnlyList<string> Models)
{
    /// <summary>Environment variable that names the plan's file.</summary>
    public const string Variable = "LLAMA3PERF_PLAN";

    /// <summary>
    /// The plan of the run that this process takes part in; empty where there is none. BenchmarkDotNet takes the values of parameters
    /// from static members only, in this process and in its children, so this is the one place that reaches them: a file, because a
    /// prompt of thousands of tokens fits into no environment variable, and the variable, because children inherit it.
    /// </summary>
    public static SuitePlan Current =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path
            ? JsonSerializer.Deserialize(File.ReadAllText(path), PlanJson.Default.SuitePlan)!
            : new SuitePlan([], []);

    /// <summary>The cases that are to be measured.</summary>
    [JsonIgnore]
    public IEnumerable<PlannedCase> Runnable => Cases.Where(planned => planned.IsRunnable);

    /// <summary>Those of them that BenchmarkDotNet measures.</summary>
    [JsonIgnore]
    public IEnumerable<PlannedCase> Generations => Runnable.Where(planned => planned.BenchProgram is null);

    /// <summary>Writes the plan's file.</summary>
    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, PlanJson.Default.SuitePlan));
}

// Nulls are written: of what must be there some may be null.
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(SuitePlan))]
internal sealed partial class PlanJson : JsonSerializerContext;
