using Llama3Perf.Results.Rows;
using static Llama3Perf.Results.Schema.Column;

namespace Llama3Perf.Results.Schema;

/// <summary>The columns of tokens.csv: one row per new token of a measured iteration.</summary>
public static class TokenSchema
{
    /// <summary>The whole file.</summary>
    public static Table<TokenRow> Table { get; } =
        new Table<TokenRow>(Blank).Add(
            SchemaVersion.Column<TokenRow>(),
            Info("run_id", (TokenRow t) => t.RunId, Cells.Text),
            Info("case_id", (TokenRow t) => t.CaseId, Cells.Text),
            Info("weights", (TokenRow t) => t.Weights, Cells.Weights),
            Info("launch_index", (TokenRow t) => t.LaunchIndex, Cells.Index),
            Info("iteration", (TokenRow t) => t.Iteration, Cells.Index),
            Info("token_index", (TokenRow t) => t.TokenIndex, Cells.Index),
            Metric("t_ms", (TokenRow t) => t.Ms, Cells.KnownMilliseconds, Direction.None)
        );

    private static TokenRow Blank() =>
        new()
        {
            RunId = "",
            CaseId = "",
            Weights = "",
            LaunchIndex = 0,
            Iteration = 0,
            TokenIndex = 0,
            Ms = 0,
        };
}
