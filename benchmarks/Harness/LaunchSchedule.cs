using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// Which launch comes next. Without a target each case has as many as it was given; with one (<c>--until</c>) a case goes on until its
/// decode rate is known well enough, or the budget is spent. In random order each round makes one launch of every case that is not done.
/// </summary>
/// <param name="options">Order, seed, target and budget.</param>
/// <param name="halfWidth">How well a case's decode rate is known: half its interval as a part of the rate; null while that cannot be
/// said, and 0 where there is no such rate.</param>
/// <param name="clock">The clock of the budget.</param>
internal sealed class LaunchSchedule(SuiteOptions options, Func<string, double?> halfWidth, TimeProvider clock)
{
    /// <summary>More are no way to a target.</summary>
    private const int MostLaunches = 1000;

    private readonly HashSet<string> _broken = [];
    private readonly Dictionary<string, TimeSpan> _times = [];
    private long _start;
    private long? _launched;

    /// <summary>The launches, one by one. After each that it was given the caller says how it came out before it asks for the
    /// next.</summary>
    /// <param name="cases">The cases in the plan's order, with the launches of each, which count where there is no target.</param>
    public IEnumerable<(string CaseId, int Index)> Launches(IReadOnlyList<(string CaseId, int Launches)> cases)
    {
        _start = clock.GetTimestamp();
        return options.Order == LaunchOrder.Random ? Interleaved(cases) : InARow(cases);
    }

    /// <summary>Says that a launch begins now; one that an earlier part of the run has made is not begun.</summary>
    public void Begin() => _launched = clock.GetTimestamp();

    /// <summary>Says how a launch came out.</summary>
    /// <param name="caseId">The case.</param>
    /// <param name="isWhole">False where it failed: the case is launched no more.</param>
    public void Made(string caseId, bool isWhole)
    {
        if (_launched is { } begun)
        {
            _times[caseId] = clock.GetElapsedTime(begun);
            _launched = null;
        }

        if (!isWhole)
        {
            _broken.Add(caseId);
        }
    }

    private IEnumerable<(string CaseId, int Index)> Interleaved(IReadOnlyList<(string CaseId, int Launches)> cases)
    {
        Random random = new(options.Seed ?? 0);
        for (int index = 1; ; index++)
        {
            // All are shuffled in every round, so that a run that goes on draws the same order.
            (string CaseId, int Launches)[] round = [.. cases];
            random.Shuffle(round);
            round = [.. round.Where(planned => IsOpen(planned, index))];
            if (round.Length == 0)
            {
                yield break;
            }

            foreach ((string caseId, _) in round)
            {
                if (!Fits(caseId))
                {
                    yield break;
                }

                yield return (caseId, index);
            }
        }
    }

    private IEnumerable<(string CaseId, int Index)> InARow(IReadOnlyList<(string CaseId, int Launches)> cases)
    {
        foreach ((string CaseId, int Launches) planned in cases)
        {
            for (int index = 1; IsOpen(planned, index); index++)
            {
                if (!Fits(planned.CaseId))
                {
                    yield break;
                }

                yield return (planned.CaseId, index);
            }
        }
    }

    private bool IsOpen((string CaseId, int Launches) planned, int index)
    {
        if (_broken.Contains(planned.CaseId))
        {
            return false;
        }

        return options.Until is { } target
            ? index <= (options.Budget.Count ?? MostLaunches) && (index == 1 || !(halfWidth(planned.CaseId) <= target))
            : index <= planned.Launches;
    }

    // A case that was not launched yet has its first launch while there is any time.
    private bool Fits(string caseId) =>
        options.Until is null
        || options.Budget.Time is not { } time
        || clock.GetElapsedTime(_start) + _times.GetValueOrDefault(caseId) <= time;
}
