using System.Globalization;
using System.Text.RegularExpressions;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Files;

/// <summary>What a reader of a run's figures has to know: what is missing and why, what disturbed the measurement. Each reason stands
/// once, with the cases that it is of.</summary>
public static partial class CaseNotes
{
    /// <summary>So many cases that share nothing are named.</summary>
    private const int MostNamed = 3;

    /// <summary>Only what has no figures, and why.</summary>
    public static IReadOnlyList<string> Problems(IReadOnlyList<ResultRow> rows)
    {
        var names = CaseNames.Among(rows.Select(row => row.Case));
        return
        [
            .. Grouped(rows, names, row => row.Status == CaseStatus.Failed ? $"failed: {Reason(row)}" : null),
            .. Grouped(rows, names, row => row.Status == CaseStatus.Skipped ? $"skipped: {Reason(row)}" : null),
        ];
    }

    /// <summary>The notes, a line each, the gravest first.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<ResultRow> rows)
    {
        var names = CaseNames.Among(rows.Select(row => row.Case));
        IEnumerable<string> weights = rows.Any(row => row.Case.Weights == "synthetic")
            ? ["Synthetic weights: speed is real, text is noise."]
            : [];
        return
        [
            .. Grouped(rows, names, row => row.Status == CaseStatus.Failed ? $"failed: {Reason(row)}" : null),
            .. Grouped(rows, names, row => row.Status == CaseStatus.Interrupted ? $"interrupted: {Reason(row)}" : null),
            .. weights,
            .. Grouped(rows, names, row => row.OutputStable == false ? "the generated tokens differ between iterations" : null),
            .. Verification(rows, names),
            .. Fitness(rows, names),
            .. Grouped(rows, names, row => row.Notes is null ? null : Short(row.Notes)),
            .. Grouped(rows, names, row => row.Status == CaseStatus.Skipped ? $"skipped: {Reason(row)}" : null),
        ];
    }

    // Silence would not say that anybody looked. What failed is among the failures.
    private static IEnumerable<string> Verification(IReadOnlyList<ResultRow> rows, CaseNames names)
    {
        VerificationOutcome[] passed =
        [
            .. rows.Select(row => row.Verification).Where(outcome => outcome.Status == VerificationStatus.Passed),
        ];
        string[] figures =
        [
            passed.Length == 1 ? "1 case" : Invariant($"{passed.Length} cases"),
            .. passed.Max(outcome => outcome.KlNats) is { } kl ? [Invariant($"KL at most {kl:0.###e+0} nats")] : Array.Empty<string>(),
            .. passed.Min(outcome => outcome.TopPercent) is { } top ? [Invariant($"top-1 at least {top:0.#} %")] : Array.Empty<string>(),
        ];
        return
        [
            .. passed.Length == 0 ? Array.Empty<string>() : [$"Verified before timing: {string.Join(", ", figures)}."],
            .. Grouped(
                rows,
                names,
                row =>
                    row.Verification.Status switch
                    {
                        VerificationStatus.Unverified => $"unverified: {Short(row.Verification.Detail ?? "no reason known")}",
                        VerificationStatus.Off => "not verified: --verify off",
                        _ => null,
                    }
            ),
        ];
    }

    // One line for all where none was disturbed: silence would not say that anybody looked.
    private static IEnumerable<string> Fitness(IReadOnlyList<ResultRow> rows, CaseNames names)
    {
        ResultRow[] judged = [.. rows.Where(row => row.Fitness.Verdict is not null)];
        bool isSteady = judged.Length > 0 && !Array.Exists(judged, row => row.Fitness.Verdict == Steadiness.Unsteady);
        return
        [
            .. isSteady ? ["Steady: nothing that this machine tells disturbed the measurement."] : Array.Empty<string>(),
            .. Unsteady(rows, names),
            .. Grouped(
                rows,
                names,
                row => CaseTable.Note(row) == "noisy" ? "noisy: iterations scatter by more than 10 % of the median" : null
            ),
            .. Grouped(
                rows,
                names,
                row => row.WarmUpSettled == false ? "the warm-up ended at its limit, not because nothing changed any more" : null
            ),
            .. Grouped(
                rows,
                names,
                row =>
                    row.StoppedAttempts switch
                    {
                        null or 0 => null,
                        1 => "1 stopped generation was thrown away and measured again",
                        { } count => $"{count} stopped generations were thrown away and measured again",
                    }
            ),
        ];
    }

    /// <summary>What disturbed the cases, each kind once, with the range of its figures.</summary>
    private static IEnumerable<string> Unsteady(IReadOnlyList<ResultRow> rows, CaseNames names) =>
        rows.Where(row => row.Fitness is { Verdict: Steadiness.Unsteady, Reasons: not null })
            .SelectMany(row => Comma().Split(row.Fitness.Reasons!).Select(reason => (Row: row, Reason: reason)))
            .GroupBy(disturbed => Number().Replace(disturbed.Reason, "#"), StringComparer.Ordinal)
            .Select(kind =>
                $"{Name([.. kind.Select(one => one.Row).Distinct()], rows.Count, names)}: unsteady: "
                + $"{Ranges([.. kind.Select(one => one.Reason)])}."
            );

    /// <summary>Texts that differ in numbers only as one: <c>others took 52 to 67 % of the processors</c>.</summary>
    private static string Ranges(string[] texts)
    {
        string[][] numbers = [.. texts.Select(text => Number().Matches(text).Select(match => match.Value).ToArray())];
        int next = 0;
        return Number()
            .Replace(
                texts[0],
                _ =>
                {
                    string[] values =
                    [
                        .. numbers.Select(found => found[next]).OrderBy(value => double.Parse(value, CultureInfo.InvariantCulture)),
                    ];
                    next++;
                    return values[0] == values[^1] ? values[0] : $"{values[0]} to {values[^1]}";
                }
            );
    }

    private static IEnumerable<string> Grouped(IReadOnlyList<ResultRow> rows, CaseNames names, Func<ResultRow, string?> reason) =>
        rows.Select(row => (Row: row, Reason: reason(row)))
            .Where(noted => noted.Reason is not null)
            .GroupBy(noted => noted.Reason!, noted => noted.Row, StringComparer.Ordinal)
            .Select(group => $"{Name([.. group], rows.Count, names)}: {group.Key}{(group.Key[^1] is '.' or '!' or '?' ? "" : ".")}");

    /// <summary>What the cases of a group have in common and others have not, and how many they are.</summary>
    private static string Name(ResultRow[] group, int all, CaseNames names)
    {
        string common = names.Common([.. group.Select(row => row.Case)]);
        string count = group.Length == 1 ? "1 case" : $"{group.Length} cases";
        return group.Length == all && all > 1 ? $"All {all} cases"
            : common.Length == 0 && all == 1 ? "The case"
            : group.Length == 1 && common.Length > 0 ? common
            : common.Length == 0 && group.Length <= MostNamed ? string.Join(", ", group.Select(row => names.Of(row.Case)).Distinct())
            : common.Length == 0 ? count
            : $"{common} ({count})";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Reason(ResultRow row) => Short(row.Error ?? "no reason known");

    /// <summary>Libraries put whole pages into their messages; the files have all of it.</summary>
    private static string Short(string text) => TextLine.Of(text, TextLine.LongestMessage);

    // Between reasons, not within brackets.
    [GeneratedRegex(@", (?![^(]*\))", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comma();

    // Not the 99 of p99.
    [GeneratedRegex(
        @"(?<![\w.])[+-]?[0-9]+(\.[0-9]+)?",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Number();
}
