using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Comparison;

/// <summary>The sides of one matched case: what of it can be compared, and what cannot.</summary>
internal sealed class CaseComparer
{
    private readonly KeyedCase?[] _row;
    private readonly IReadOnlyList<ComparedSide> _sides;
    private readonly NoiseRecord? _noise;
    private readonly bool[] _usable;
    private readonly List<UnmatchedCase> _unmatched = [];

    public CaseComparer(IReadOnlyList<ComparedSide> sides, KeyedCase?[] row, NoiseRecord? noise)
    {
        (_sides, _row, _noise) = (sides, row, noise);
        _usable = [.. row.Select(NoteProblem)];
    }

    /// <summary>What could not be compared so far.</summary>
    public IReadOnlyList<UnmatchedCase> Unmatched => _unmatched;

    /// <summary>One metric on all sides, or null when no side has it.</summary>
    public MeasuredMetric? Measured(Column<Sample> metric)
    {
        MeasuredSide?[] sides = [.. _row.Select((found, i) => _usable[i] ? Side(found!, metric, _noise) : null)];
        for (int i = 0; i < sides.Length; i++)
        {
            if (sides[i] is { Values.Count: 0 })
            {
                sides[i] = null;
                Note(i, $"no {metric.Name} was measured");
            }
        }

        KeyedCase first = _row.First(found => found is not null)!;
        return sides.All(side => side is null) ? null : new MeasuredMetric(first.Outcome.CaseId, first.Outcome.Case, metric, sides);
    }

    /// <summary>Where a side answers otherwise than the first, a line each.</summary>
    public IEnumerable<string> AnswerChanges()
    {
        string caseId = CaseMatching.NameOf(_row);
        for (int side = 1; side < _row.Length; side++)
        {
            if (!_usable[0] || !_usable[side])
            {
                continue;
            }

            if (AnswerChange.Tokens([_row[0]!], _row[side]!) is { } tokens)
            {
                yield return $"other output tokens: {caseId} in {_sides[side].Label}: {tokens}";
            }

            if (AnswerChange.Divergence([_row[0]!], _row[side]!) is { } divergence)
            {
                yield return $"wrong answers: {caseId} in {_sides[side].Label}: {divergence}";
            }
        }
    }

    /// <summary>A metric of a case on its side.</summary>
    public static MeasuredSide Side(KeyedCase found, Column<Sample> metric, NoiseRecord? noise) =>
        new(LogSample.Of(found.Outcome.Samples, metric), noise?.Find(found.Context, metric)?.Noise, found.Unsteady);

    private bool NoteProblem(KeyedCase? found, int side)
    {
        string? problem = found is null ? "not in this run" : found.Problem();
        if (problem is not null)
        {
            Note(side, problem);
        }

        return problem is null;
    }

    private void Note(int side, string reason) => _unmatched.Add(new UnmatchedCase(_sides[side].Label, CaseMatching.NameOf(_row), reason));
}

/// <summary>A metric of a case on all sides, before it is judged.</summary>
/// <param name="CaseId">Name of the case on the first side that has it.</param>
/// <param name="Case">The case on that side.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Sides">For each side its values; null where it has none.</param>
internal sealed record MeasuredMetric(string CaseId, CaseKey Case, Column<Sample> Metric, MeasuredSide?[] Sides);
