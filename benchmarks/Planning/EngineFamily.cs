using Llama3Perf.Inference;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Launches of one case that its engine's own program has made, as texts.</summary>
/// <param name="Find">The text of a launch by its number, from 1; null when it is still to be made.</param>
/// <param name="Keep">Keeps a launch; when it returns the launch is on the disk.</param>
internal sealed record KeptLaunches(Func<int, string?> Find, Action<int, string> Keep)
{
    /// <summary>None, and none are kept.</summary>
    public static KeptLaunches None { get; } = new(_ => null, (_, _) => { });
}

/// <summary>
/// Engines that are found, loaded and measured in one way. Every engine of a run comes through its family's door: planned, listed,
/// filtered, probed, verified and confirmed alike.
/// </summary>
internal abstract class EngineFamily
{
    /// <summary>Names of its engines on the command line, best first.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>Names that it takes beside <see cref="Names"/>, in words; null when there are none.</summary>
    public virtual string? OtherNames => null;

    /// <summary>True for names that are its own, known or not.</summary>
    public virtual bool Owns(string engine) => Names.Contains(engine);

    /// <summary>Refuses a name that is its own and stands for no engine.</summary>
    /// <exception cref="EngineException">With the names there are.</exception>
    public virtual void Check(string engine) { }

    /// <summary>True when the options ask for its engines without naming one.</summary>
    public virtual bool IsImplied(SuiteOptions options) => false;

    /// <summary>Where an engine can run on some machine.</summary>
    public abstract IReadOnlyList<ExecutionProvider> Places(string engine);

    /// <summary>Whether an engine can run at a place here; cheap, loads no model.</summary>
    public abstract Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options);

    /// <summary>Where an engine runs when nobody said; null leaves it to the engine's own program.</summary>
    public abstract ExecutionProvider? BestPlace(string engine, PlanContext context);

    /// <summary>What an engine measures of a model: at least one subject, with a reason where it cannot run.</summary>
    public abstract IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context);

    /// <summary>True when the engine's own program measures; false when BenchmarkDotNet measures what <see cref="Load"/> gives.</summary>
    public virtual bool MeasuresItself => false;

    /// <summary>Loads a case's model.</summary>
    /// <exception cref="EngineException">It cannot be loaded; one line that names the cause.</exception>
    public virtual IGenerator Load(PlannedCase planned) => throw new NotSupportedException($"{planned.Key.Engine} measures itself.");

    /// <summary>Measures a case by the engine's own program.</summary>
    /// <param name="planned">The case.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="launches">Keeps each launch before the next one starts, and knows those of an earlier part of the run.</param>
    /// <param name="run">The run.</param>
    /// <param name="environment">Its machine.</param>
    /// <returns>The outcome; a failure is a failed one with its reason.</returns>
    public virtual CaseOutcome Measure(
        PlannedCase planned,
        SuiteOptions options,
        KeptLaunches launches,
        RunIdentity run,
        RunEnvironment environment
    ) => throw new NotSupportedException($"{planned.Key.Engine} is measured by BenchmarkDotNet.");

    /// <summary>The outcome of launches that <see cref="Measure"/> kept.</summary>
    public virtual CaseOutcome Read(PlannedCase planned, IReadOnlyList<string> launches, RunIdentity run, RunEnvironment environment) =>
        throw new NotSupportedException($"{planned.Key.Engine} is measured by BenchmarkDotNet.");
}
