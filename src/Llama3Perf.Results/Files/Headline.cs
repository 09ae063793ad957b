using System.Globalization;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Files;

/// <summary>A run in a sentence: what decodes fastest, and by how much.</summary>
public static class Headline
{
    /// <summary>Each end of an interval is exceeded with this probability: the usual 95 %.</summary>
    private const double Alpha = 0.025;

    /// <summary>A sentence names no more values of a field than these.</summary>
    private const int MostValues = 4;

    /// <summary>Two values are alike whose whole interval is nearer to 1 than this, as a factor; a wider one says nothing.</summary>
    private const double Alike = 1.25;

    private const string NoInterval = " (too few launches for an interval)";

    private static readonly Column<Sample> s_decode = CaseTable.DecodeRate;

    // What people choose between, most asked first.
    private static readonly CaseField[] s_choices = [CaseField.Precision, CaseField.Engine, CaseField.Provider, CaseField.Threads];

    /// <summary>The sentence; null when no case has a decode rate.</summary>
    public static string? Of(Run run)
    {
        Measured[] cases =
        [
            .. run
                .Cases.Where(outcome => outcome.Status is CaseStatus.Ok or CaseStatus.Interrupted)
                .Select(outcome => new Measured(outcome, LogSample.Of(outcome.Samples, s_decode)))
                .Where(measured => measured.Rate.Count > 0),
        ];
        if (cases.Length == 0)
        {
            return null;
        }

        string[] sentences = [.. s_choices.SelectMany(field => Ratios(cases, field))];

        // Of all it is said once.
        string ratios = Array.TrueForAll(sentences, sentence => sentence.EndsWith(NoInterval, StringComparison.Ordinal))
            ? string.Join("; ", sentences.Select(sentence => sentence[..^NoInterval.Length])) + (sentences.Length > 0 ? NoInterval : "")
            : string.Join("; ", sentences);
        string fastest = Fastest(run, cases.MaxBy(measured => measured.Rate.LaunchMean)!);
        int unsteady = cases.Count(measured => CaseFitness.Of(measured.Outcome.Samples).Verdict == Steadiness.Unsteady);
        string care =
            unsteady == 0 ? ""
            : cases.Length == 1 ? " Read with care: it is unsteady."
            : string.Create(
                CultureInfo.InvariantCulture,
                $" Read with care: {unsteady} of {cases.Length} cases {(unsteady == 1 ? "is" : "are")} unsteady."
            );
        return $"{(ratios.Length > 0 ? $"{ratios}; fastest: " : "Decodes ")}{fastest}.{care}";
    }

    private static string Fastest(Run run, Measured best)
    {
        string share = Aggregates.Row(run, best.Outcome).MemoryBandwidthPercent is { } percent
            ? string.Create(
                CultureInfo.InvariantCulture,
                $", {percent:0} % of the memory bandwidth read here ({run.Environment.MemoryGigabytesPerSecond:0.#} GB/s)"
            )
            : "";
        return $"{Figure.Text(best.Rate.Median)} tok/s{share}";
    }

    /// <summary>The fastest value of a field against each of the others, over the cases that differ in nothing else; of many the next one
    /// and the slowest.</summary>
    private static IEnumerable<string> Ratios(Measured[] cases, CaseField field)
    {
        Measured[][] groups =
        [
            .. cases
                .GroupBy(measured => field.Without(measured.Outcome.Case))
                .Select(group => group.ToArray())
                .Where(group => group.Length > 1),
        ];
        string[] values =
        [
            .. groups
                .SelectMany(group =>
                    group.Select(measured =>
                        (
                            Value: field.Text(measured.Outcome.Case),
                            Gain: measured.Rate.LaunchMean - group.Average(other => other.Rate.LaunchMean)
                        )
                    )
                )
                .GroupBy(measured => measured.Value)
                .OrderByDescending(value => value.Average(measured => measured.Gain))
                .Select(value => value.Key),
        ];
        foreach (string value in values.Length > MostValues ? [values[1], values[^1]] : values.Skip(1))
        {
            RatioEstimate[] ratios =
            [
                .. groups
                    .Select(group => (Slow: Find(group, value), Fast: Find(group, values[0])))
                    .Where(pair => pair is { Slow: not null, Fast: not null })
                    .Select(pair => RatioEstimate.Of(pair.Slow!.Rate, pair.Fast!.Rate)),
            ];
            if (ratios.Length > 0)
            {
                yield return Text(values[0], value, field, MeanRatio.Of(ratios, Alpha));
            }
        }

        Measured? Find(Measured[] group, string value) => Array.Find(group, measured => field.Text(measured.Outcome.Case) == value);
    }

    private static string Text(string fast, string slow, CaseField field, MeanRatio mean)
    {
        string unit =
            field != CaseField.Threads ? ""
            : fast == "1" ? " thread"
            : " threads";
        // A second digit only where the first says nothing: near 1, and where both ends of the interval would read alike.
        bool isCoarse = mean.Ratio >= 1.195 && (mean.Interval is not { } ends || ends.High - ends.Low >= 0.15);
        string interval = mean.Interval is { } i ? $" ({Times(i.Low)} to {Times(i.High)})" : NoInterval;
        string alike = mean.Interval is { Low: > 1 / Alike, High: < Alike } ? "decode alike" : "cannot be told apart";
        return mean.Interval is { Low: <= 1 }
            ? $"{fast} and {slow}{unit} {alike}: {Times(mean.Ratio)}x{interval}"
            : $"{fast}{unit} {(unit.Length > 0 && fast != "1" ? "decode" : "decodes")} {Times(mean.Ratio)}x as fast as {slow}{interval}";

        string Times(double ratio) => ratio.ToString(isCoarse ? "0.0" : "0.00", CultureInfo.InvariantCulture);
    }

    private sealed record Measured(CaseOutcome Outcome, LogSample Rate);
}
