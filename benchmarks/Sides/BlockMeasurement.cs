using System.Globalization;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>
/// Measures two sides in blocks until every case is decided or the budget is spent. A round is a block of every undecided case, the cases
/// in random order. A block is two launches of each side in the order of <see cref="BlockOrder"/>: whole ones where it cannot be otherwise
/// or is wanted so, else one of each side loaded at once, twice, and their generations in that order.
/// </summary>
internal sealed class BlockMeasurement
{
    private const int LaunchesOfBlock = 4;

    // Of turns: a case that never has enough is measured as long as this.
    private const int MostGroups = 200;

    private readonly ISide _baseline;
    private readonly ISide _current;
    private readonly IReadOnlyList<SidePair> _pairs;
    private readonly Budget _budget;
    private readonly BlockOrder _order;
    private readonly TimeProvider _clock;
    private readonly Action<string> _tell;
    private readonly bool _takesTurns;
    private readonly HashSet<string> _failed = [];
    private readonly Dictionary<string, TimeSpan> _blockTimes = [];
    private long _start;
    private bool _hasLaunched;
    private bool _hasMeasured;

    /// <param name="baseline">The baseline.</param>
    /// <param name="current">The side that is held against it.</param>
    /// <param name="pairs">Their cases.</param>
    /// <param name="options">What the verdicts are made by.</param>
    /// <param name="budget">When to give up.</param>
    /// <param name="seed">Of every order.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="tell">Told a line after each block.</param>
    /// <param name="takesTurns">Lets generations take turns where both sides can.</param>
    public BlockMeasurement(
        ISide baseline,
        ISide current,
        IReadOnlyList<SidePair> pairs,
        GateOptions options,
        Budget budget,
        int seed,
        TimeProvider clock,
        Action<string> tell,
        bool takesTurns = true
    )
    {
        (_baseline, _current, _pairs, _budget, _clock, _tell) = (baseline, current, pairs, budget, clock, tell);
        _takesTurns = takesTurns;
        _order = new BlockOrder(seed);
        Gate = new SequentialGate([.. pairs.Select(pair => pair.Name)], options);
    }

    /// <summary>What the blocks have decided.</summary>
    public SequentialGate Gate { get; }

    /// <summary>Time since the first launch began.</summary>
    public TimeSpan Elapsed => _clock.GetElapsedTime(_start);

    /// <summary>Measures.</summary>
    /// <returns>Why no more was measured, one line.</returns>
    /// <exception cref="UsageException">The budget is too small for a block.</exception>
    public string Run()
    {
        _start = _clock.GetTimestamp();
        for (int round = 1; Open().Length > 0; round++)
        {
            if (round > _budget.Count)
            {
                return Spent();
            }

            foreach (SidePair pair in _order.Shuffled(Open()))
            {
                if (!Fits(pair))
                {
                    return Spent();
                }

                Block(pair, round);
            }
        }

        return _failed.Count == 0 ? "Every case is decided" : $"{_failed.Count} cases failed, the others are decided";
    }

    private SidePair[] Open()
    {
        HashSet<string> undecided = [.. Gate.Undecided];
        return [.. _pairs.Where(pair => undecided.Contains(pair.Name) && !_failed.Contains(pair.Name))];
    }

    private string Spent() => $"The budget of {_budget.Text("blocks")} is spent";

    // A case that was not measured yet is expected to take as long as the longest; the first one itself says when there is no room for it.
    private bool Fits(SidePair pair) =>
        (!_hasMeasured && _failed.Count == 0)
        || _budget.Time is not { } time
        || Elapsed + _blockTimes.GetValueOrDefault(pair.Name, _blockTimes.Values.DefaultIfEmpty().Max()) <= time;

    private void Block(SidePair pair, int round)
    {
        List<Sample> baseline = [];
        List<Sample> current = [];
        TimeSpan begun = Elapsed;
        bool inTurns = _takesTurns && _baseline.TakesTurns(pair.BaselineId) && _current.TakesTurns(pair.CurrentId);
        foreach ((bool isBaseline, CaseOutcome outcome) in inTurns ? LaunchesInTurns(pair) : Launches(pair))
        {
            if (outcome.Status != CaseStatus.Ok)
            {
                _failed.Add(pair.Name);
                string hint = inTurns ? "; --turns launches loads one side at a time" : "";
                _tell($"{pair.Name}  failed {(isBaseline ? "in the baseline" : "on the current side")}: {outcome.Error}{hint}");
                return;
            }

            (isBaseline ? baseline : current).AddRange(outcome.Samples);
        }

        _hasMeasured = true;
        _blockTimes[pair.Name] = Elapsed - begun;
        Gate.AddBlock(pair.Name, baseline, current, CaseFitness.Disturbance([.. baseline, .. current]));
        _tell(BlockLine.Of(pair.Name, round, Gate, _budget, Elapsed));
    }

    private IEnumerable<(bool IsBaseline, CaseOutcome Outcome)> Launches(SidePair pair)
    {
        foreach (bool isBaseline in _order.Next())
        {
            yield return (isBaseline, isBaseline ? _baseline.Launch(pair.BaselineId) : _current.Launch(pair.CurrentId));
            RequireRoom();
        }
    }

    // Of two loaded models the first can be slower than the second, by 5 % on one machine with ONNX Runtime: each side is both once.
    private IEnumerable<(bool IsBaseline, CaseOutcome Outcome)> LaunchesInTurns(SidePair pair)
    {
        bool first = _order.Next()[0];
        return ((bool[])[first, !first]).SelectMany(isBaselineFirst => LaunchesInTurns(pair, isBaselineFirst));
    }

    // Both end even where one has failed, and the one that failed is told first.
    private (bool IsBaseline, CaseOutcome Outcome)[] LaunchesInTurns(SidePair pair, bool isBaselineFirst)
    {
        Dictionary<bool, TurnState> states = [];
        foreach (bool isBaseline in (bool[])[isBaselineFirst, !isBaselineFirst])
        {
            states[isBaseline] = isBaseline ? _baseline.Begin(pair.BaselineId) : _current.Begin(pair.CurrentId);
        }

        for (int group = 0; group < MostGroups && !HasEnded() && states.ContainsValue(TurnState.Waiting); group++)
        {
            foreach (bool isBaseline in _order.Next().TakeWhile(_ => !HasEnded()))
            {
                states[isBaseline] = (isBaseline ? _baseline : _current).Step();
            }

            RequireTime();
        }

        (bool IsBaseline, CaseOutcome Outcome)[] ended = [(true, _baseline.End()), (false, _current.End())];
        return [.. ended.OrderByDescending(side => side.Outcome.Status == CaseStatus.Failed)];

        bool HasEnded() => states.ContainsValue(TurnState.Ended);
    }

    // Nothing was decided and nothing can be.
    private void RequireTime()
    {
        if (!_hasMeasured && _budget.Time is { } time && Elapsed > time)
        {
            throw new UsageException($"--budget: {_budget.Text("blocks")} are too short for a block, which loads the model of both sides");
        }
    }

    // Known after the first launch, before more time is lost.
    private void RequireRoom()
    {
        if (!_hasLaunched && _budget.Time is { } time && Elapsed * LaunchesOfBlock > time)
        {
            throw new UsageException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"--budget: {_budget.Text("blocks")} are too short for a block, which is four launches, and the first took "
                        + $"{Elapsed.TotalSeconds:0.0} s; give it {Math.Ceiling(Elapsed.TotalSeconds * LaunchesOfBlock * 5)}s or more"
                )
            );
        }

        _hasLaunched = true;
    }
}
