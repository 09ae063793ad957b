using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Schema;

/// <summary>The columns of samples.csv: one row per measured iteration, with everything that runs are compared over, so that the file
/// stands alone.</summary>
public static class SampleSchema
{
    /// <summary>The whole file.</summary>
    public static Table<Sample> Table { get; } =
        new Table<Sample>(SampleColumns.Blank)
            .Add(SampleColumns.All)
            .Add(s => s.Case, CaseColumns.Blank, CaseColumns.All)
            .Add(s => s.Environment, () => new RunEnvironment(), [.. RunColumns.Environment.Where(column => column.Role == ColumnRole.Key)])
            .AddOwn(s => s.Conditions, () => new Conditions(), ConditionColumns.All)
            .Add(s => s.Run, RunColumns.BlankIdentity, RunColumns.Identity)
            .StartingWith("schema_version", "run_id", "case_id");

    /// <summary>The columns that a comparison matches, all but the one that it varies: those of the case, the environment and the
    /// build.</summary>
    public static IReadOnlyList<Column<Sample>> Keys { get; } = [.. Table.Columns.Where(column => column.Role == ColumnRole.Key)];

    /// <summary>The same columns, in the same order, for a case that may have no samples.</summary>
    public static IReadOnlyList<Column<CaseContext>> CaseKeys { get; } =
        KeysOf(
            CaseColumns.All.Select(column => column.On((CaseContext context) => context.Case)),
            RunColumns.Environment.Select(column => column.On((CaseContext context) => context.Environment)),
            RunColumns.Identity.Select(column => column.On((CaseContext context) => context.Run))
        );

    /// <summary>The measured numbers.</summary>
    public static IReadOnlyList<Column<Sample>> Metrics { get; } = [.. Table.Columns.Where(column => column.Role == ColumnRole.Metric)];

    /// <summary>The metric of that name.</summary>
    /// <exception cref="OptionException">There is none; the message lists those there are.</exception>
    public static Column<Sample> Metric(string name) => Find(Metrics, name, "metric");

    /// <summary>The key of that name.</summary>
    /// <exception cref="OptionException">There is none; the message lists those there are.</exception>
    public static Column<Sample> Key(string name) => Find(Keys, name, "key");

    private static Column<Sample> Find(IReadOnlyList<Column<Sample>> columns, string name, string kind) =>
        columns.FirstOrDefault(column => column.Name == name)
        ?? throw new OptionException($"There is no {kind} named '{name}'; there are {string.Join(", ", columns)}.");

    private static Column<CaseContext>[] KeysOf(params IEnumerable<Column<CaseContext>>[] parts)
    {
        ILookup<string, Column<CaseContext>> byName = parts.SelectMany(part => part).ToLookup(column => column.Name);
        return [.. Keys.Select(key => byName[key.Name].Single())];
    }
}

/// <summary>A case in its run: where the keys of a comparison come from.</summary>
/// <param name="Run">Which run.</param>
/// <param name="Environment">Where it ran.</param>
/// <param name="Case">The case.</param>
public sealed record CaseContext(RunIdentity Run, RunEnvironment Environment, CaseKey Case);
