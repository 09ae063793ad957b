using System.Text.Json;
using System.Text.Json.Serialization;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>The values that BenchmarkDotNet shows as parameters and hands to a benchmark; together they name one planned case.</summary>
public sealed record CaseParameters(string Model, string Engine, string Provider, string Precision, string Prompt, int MaxLength);

/// <summary>One case of a run, worked out before anything is measured.</summary>
public sealed record PlannedCase
{
    public required CaseParameters Parameters { get; init; }

    public required string CaseId { get; init; }

    public required CaseKey Key { get; init; }

    /// <summary>Why the case cannot run here; null when it can.</summary>
    public string? SkipReason { get; init; }

    /// <summary>Why the case has failed before it was measured: its model was verified and computes something else; null when it may run.</summary>
    public string? Failure { get; init; }

    public required string ModelFolder { get; init; }

    public required EngineOptions EngineOptions { get; init; }

    /// <summary>The program that generates, for an external engine; null for engines inside the suite.</summary>
    public PeerOptions? Peer { get; init; }

    /// <summary>The prompt as text, chat template applied; null for pseudo-random tokens.</summary>
    public string? PromptText { get; init; }

    /// <summary>Made once, by our tokenizer, so that every engine reads the same ids.</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }
}

/// <summary>
/// All cases of a run. The measuring processes read it from the file that an environment variable names: children inherit the
/// variable, and a prompt of thousands of tokens does not fit into one.
/// </summary>
public sealed record SuitePlan(IReadOnlyList<PlannedCase> Cases, bool KeepModelLoaded)
{
    private const string Variable = "LLAMA3PERF_PLAN";

    private static readonly Lazy<SuitePlan> s_inherited = new(() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path
            ? JsonSerializer.Deserialize(File.ReadAllText(path), PlanJson.Default.SuitePlan)!
            : new SuitePlan([], KeepModelLoaded: false));

    private static SuitePlan? s_own;

    /// <summary>The plan of the run that this process takes part in; without cases where there is none.</summary>
    public static SuitePlan Current => s_own ?? s_inherited.Value;

    /// <summary>The cases that are to be measured.</summary>
    [JsonIgnore]
    public IEnumerable<PlannedCase> Runnable => Cases.Where(planned => planned is { SkipReason: null, Failure: null });

    public PlannedCase? Find(CaseParameters parameters) => Cases.FirstOrDefault(planned => planned.Parameters == parameters);

    /// <summary>Makes this the plan of this process and of the children that it starts.</summary>
    public void Publish(string path)
    {
        File.WriteAllText(path, JsonSerializer.Serialize(this, PlanJson.Default.SuitePlan));
        Environment.SetEnvironmentVariable(Variable, path);
        s_own = this;
    }
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SuitePlan))]
internal sealed partial class PlanJson : JsonSerializerContext;
