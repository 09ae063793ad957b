using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>What a person reads when the run is over: the headline, the table, what to know about it, where the files are.</summary>
internal static class ResultDisplay
{
    /// <param name="run">What was measured.</param>
    /// <param name="folder">Where its files are.</param>
    /// <param name="asArticle">Tells the run as the 2024 article did too.</param>
    public static void Show(Run run, string folder, bool asArticle = false)
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

        if (asArticle)
        {
            Screen.Line("As the article counted: prompt and new tokens over the whole time", Tone.Quiet);
            Screen.Table(ArticleTable.Of(rows), ToneOf);
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
            "unsteady" or "noisy" or "unverified" or "interrupted" or "inconclusive" => Tone.Doubtful,
            "faster" or "pass" => Tone.Good,
            _ => Tone.Plain,
        };
}
