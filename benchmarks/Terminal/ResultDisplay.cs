using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>What a person reads when the run is over: the headline, the table, what to know about it, where the files are.</summary>
internal static class ResultDisplay
{
    public static void Show(Run run, string folder)
    {
        IReadOnlyList<ResultRow> rows = Aggregates.Rows(run);
        Console.WriteLine();
        if (Headline.Of(run) is { } headline)
        {
            Screen.Line(headline, Tone.Strong);
            Console.WriteLine();
        }

        CaseTable table = CaseTable.Of(rows);
        if (!table.IsEmpty)
        {
            TextTable fitted = table.Fit(Screen.Width - 3, out string unit);
            Screen.Line(table.Shared + unit, Tone.Quiet);
            Screen.Table(fitted, ToneOf);
            Console.WriteLine();
        }

        foreach (string note in CaseNotes.Of(rows))
        {
            Screen.Line(note);
        }

        Screen.Line($"Files: {folder}");
    }

    /// <summary>Verdicts and notes have a colour.</summary>
    public static Tone ToneOf(string cell) =>
        cell switch
        {
            "failed" or "regression" or "REGRESSION" or "tokens differ" => Tone.Bad,
            "unsteady" or "noisy" or "interrupted" or "inconclusive" => Tone.Doubtful,
            "faster" or "pass" => Tone.Good,
            _ => Tone.Plain,
        };
}
