using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Comparison;

/// <summary>What stands in one column of a comparison: a run or, when a field of the cases is varied, the part of a run with one value of
/// it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Varied">Text of each varied field, null where it is unknown.</param>
/// <param name="Label">Short name of the column, unique in the comparison.</param>
public sealed record ComparedSide(Run Run, IReadOnlyList<string?> Varied, string Label);

/// <summary>A case of a side that could not be compared.</summary>
/// <param name="Side">Label of the side.</param>
/// <param name="CaseId">Name of the case.</param>
/// <param name="Reason">Why, one line.</param>
public sealed record UnmatchedCase(string Side, string CaseId, string Reason);

/// <summary>The cases of several runs, matched by everything that defines them but the varied fields.</summary>
internal sealed class CaseMatching
{
    private const int CommitLength = 40;
    private const int ShortCommit = 9;

    private CaseMatching(VariedFields varied, IReadOnlyList<ComparedSide> sides, IReadOnlyList<KeyedCase?[]> rows) =>
        (Varied, Sides, Rows) = (varied, sides, rows);

    /// <summary>What the sides may differ in.</summary>
    public VariedFields Varied { get; }

    /// <summary>The sides, in the order of the runs.</summary>
    public IReadOnlyList<ComparedSide> Sides { get; }

    /// <summary>For each case, what each side has of it. Cases of the first side come first, in its order.</summary>
    public IReadOnlyList<KeyedCase?[]> Rows { get; }

    /// <summary>Matches the cases of runs.</summary>
    /// <param name="runs">The runs, the baseline first.</param>
    /// <param name="vary">Names of the varied fields; empty finds the one.</param>
    /// <exception cref="RunFileException">The runs differ in more than the varied fields, or two cases of a side cannot be told
    /// apart.</exception>
    /// <exception cref="OptionException">A varied field is no key column.</exception>
    public static CaseMatching Of(IReadOnlyList<Run> runs, IReadOnlyList<string> vary)
    {
        KeyedRun[] keyed = [.. runs.Select(run => new KeyedRun(run))];
        VariedFields varied = VariedFields.Resolve(keyed, vary);
        List<(KeyedRun Run, string?[] Varied, KeyedCase[] Cases)> parts = [.. keyed.SelectMany(run => Parts(run, varied))];
        ComparedSide[] sides = Label(varied.Names, parts.Select(part => (part.Run.Run, part.Varied)).ToArray());
        Dictionary<string, KeyedCase?[]> rows = new(StringComparer.Ordinal);
        for (int side = 0; side < sides.Length; side++)
        {
            foreach (KeyedCase found in parts[side].Cases)
            {
                Place(rows, found, side, sides, varied);
            }
        }

        return new CaseMatching(varied, sides, [.. rows.Values]);
    }

    /// <summary>Name of a matched case: the first side's that has it.</summary>
    public static string NameOf(KeyedCase?[] row) => row.First(found => found is not null)!.Outcome.CaseId;

    /// <summary>A varied value as people read it: of a commit its beginning.</summary>
    internal static string? Shown(string? value) =>
        value?.Length == CommitLength && value.All(char.IsAsciiHexDigitLower) ? value[..ShortCommit] : value;

    /// <summary>A run is one side unless its own cases differ in a varied field.</summary>
    private static IEnumerable<(KeyedRun, string?[], KeyedCase[])> Parts(KeyedRun run, VariedFields varied)
    {
        if (run.Cases.Length == 0)
        {
            return [(run, [.. varied.Names.Select(name => run.Self[name])], [])];
        }

        return run
            .Cases.GroupBy(found => string.Join('\u001f', varied.Names.Select(name => found[name] ?? "\u001e")), StringComparer.Ordinal)
            .Select(part => (run, varied.Names.Select(name => part.First()[name]).ToArray(), part.ToArray()));
    }

    private static void Place(Dictionary<string, KeyedCase?[]> rows, KeyedCase found, int side, ComparedSide[] sides, VariedFields varied)
    {
        string key = found.Without(varied.Ignored);
        if (!rows.TryGetValue(key, out KeyedCase?[]? row))
        {
            rows.Add(key, row = new KeyedCase?[sides.Length]);
        }

        if (row[side] is { } twin)
        {
            string[] between = [.. found.DifferencesTo(twin)];
            string way =
                between.Length == 0
                    ? "which is a case twice"
                    : $"name that too with --vary {string.Join(',', varied.Names.Concat(between))}";
            throw new RunFileException(
                $"{sides[side].Label}: '{twin.Outcome.CaseId}' and '{found.Outcome.CaseId}' differ only in "
                    + $"{string.Join(", ", between.DefaultIfEmpty("nothing"))}, {way}"
            );
        }

        row[side] = found;
    }

    /// <summary>The varied values when they tell the sides apart, else the run's id too, else the position too.</summary>
    private static ComparedSide[] Label(IReadOnlyList<string> names, (Run Run, string?[] Varied)[] parts)
    {
        string[] values =
        [
            .. parts.Select(part => string.Join(' ', part.Varied.Select((text, i) => $"{names[i]}={Shown(text) ?? "unknown"}"))),
        ];
        string[] labels = values;
        if (!AreDistinct(labels) || values.Contains(""))
        {
            labels = [.. parts.Select((part, i) => $"{part.Run.Identity.ShownName()} {values[i]}".TrimEnd())];
        }

        if (!AreDistinct(labels))
        {
            labels = [.. labels.Select((label, i) => $"{label} ({i + 1})")];
        }

        return [.. parts.Select((part, i) => new ComparedSide(part.Run, part.Varied, labels[i]))];
    }

    private static bool AreDistinct(string[] labels) => labels.Distinct(StringComparer.Ordinal).Count() == labels.Length;
}
