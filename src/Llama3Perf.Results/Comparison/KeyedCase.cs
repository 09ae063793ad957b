using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Comparison;

/// <summary>A run with the texts of all that defines its cases.</summary>
internal sealed class KeyedRun(Run run)
{
    /// <summary>The run.</summary>
    public Run Run => run;

    /// <summary>Its cases.</summary>
    public KeyedCase[] Cases { get; } = [.. run.Cases.Select(outcome => new KeyedCase(run, outcome))];

    /// <summary>The keys of the run itself; those of a case mean nothing and are the same for every run.</summary>
    public KeyedCase Self { get; } =
        new(
            run,
            new CaseOutcome
            {
                Case = CaseColumns.Blank() with { Weights = "synthetic" },
                CaseId = "",
                Status = CaseStatus.Skipped,
            }
        );
}

/// <summary>A case with the texts of all that defines it.</summary>
internal sealed class KeyedCase
{
    private readonly string?[] _texts;
    private readonly bool[] _areAssumed;
    private readonly Lazy<Fitness> _fitness;

    public KeyedCase(Run run, CaseOutcome outcome)
    {
        Outcome = outcome;
        _fitness = new Lazy<Fitness>(() => CaseFitness.Of(outcome.Samples));
        Context = new CaseContext(run.Identity, run.Environment, outcome.Case);
        _texts = [.. SampleSchema.CaseKeys.Select(column => column.Key(Context) ?? column.Absent)];
        _areAssumed = [.. SampleSchema.CaseKeys.Select(column => column.Absent is not null && column.Key(Context) is null)];
    }

    /// <summary>Names of the key columns.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. SampleSchema.CaseKeys.Select(column => column.Name)];

    /// <summary>Keys that are one for a whole run: its build, machine and libraries. The others may differ between its cases.</summary>
    public static IReadOnlySet<string> RunNames { get; } =
        RunColumns
            .Identity.Where(column => column.Role == ColumnRole.Key)
            .Select(column => column.Name)
            .Concat(RunColumns.Environment.Where(column => column.Role == ColumnRole.Key).Select(column => column.Name))
            .ToHashSet(StringComparer.Ordinal);

    /// <summary>How the case ended, with its samples.</summary>
    public CaseOutcome Outcome { get; }

    /// <summary>The case in its run.</summary>
    public CaseContext Context { get; }

    /// <summary>Why the machine was not fit to measure it; null when it was, or nothing is known.</summary>
    public string? Unsteady => _fitness.Value is { Verdict: Steadiness.Unsteady } fitness ? $"unsteady: {fitness.Reasons}" : null;

    /// <summary>A key's text, or null when it is unknown; what files are too old to say is its default.</summary>
    public string? this[string name] => _texts[IndexOf(name)];

    /// <summary>A key's text for messages.</summary>
    public string Describe(string name) => IndexOf(name) is var i && _areAssumed[i] ? $"not said, so {_texts[i]}" : _texts[i] ?? "unknown";

    /// <summary>Names of the keys that differ. Unknown is not the same as known.</summary>
    public IEnumerable<string> DifferencesTo(KeyedCase other) => Names.Where((_, i) => _texts[i] != other._texts[i]);

    /// <summary>One text of all keys but some; equal texts are equal cases.</summary>
    public string Without(IReadOnlySet<string> ignored) =>
        string.Join('\u001f', _texts.Where((_, i) => !ignored.Contains(Names[i])).Select(text => text is null ? "\u001e" : text));

    private static int IndexOf(string name)
    {
        for (int i = 0; i < Names.Count; i++)
        {
            if (Names[i] == name)
            {
                return i;
            }
        }

        throw new ArgumentException($"There is no key named '{name}'.", nameof(name));
    }

    /// <summary>What is wrong with the case, or null when it has samples to compare.</summary>
    public string? Problem()
    {
        int broken = Outcome.Samples is SampleList list
            ? list.Count - list.CompletedCount
            : Outcome.Samples.Count(sample => !sample.Completed);
        return Outcome switch
        {
            { Status: CaseStatus.Failed } => $"failed: {Outcome.Error ?? "no reason given"}",
            { Status: CaseStatus.Skipped } => $"skipped: {Outcome.Error ?? "no reason given"}",
            { Status: CaseStatus.Interrupted, Samples.Count: 0 } => "interrupted before its first launch was over",
            { Samples.Count: 0 } => "no samples",
            _ when broken > 0 => $"failed: {broken} of {Outcome.Samples.Count} iterations did not complete",
            _ => null,
        };
    }
}
