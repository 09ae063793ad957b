namespace Llama3Perf.Results.Schema;

/// <summary>The version of all result files. Any change of a column, its name, unit or meaning, is a new version; each column knows the one
/// that brought it.</summary>
internal static class SchemaVersion
{
    /// <summary>What this program writes, and the newest version that it reads.</summary>
    public const int Current = 4;

    /// <summary>Name of the column, which is the first of every file.</summary>
    public const string ColumnName = "schema_version";

    /// <summary>The column.</summary>
    public static Column<TRow> Column<TRow>() => Schema.Column.Constant<TRow>(ColumnName, Cells.Version(Current), Current);
}
