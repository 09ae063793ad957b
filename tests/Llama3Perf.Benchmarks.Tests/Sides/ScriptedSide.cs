using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Sides;

/// <summary>A side without a process: each launch of a case has the rate that a script gives it, and takes a time on a clock of its
/// own.</summary>
internal sealed class ScriptedSide(
    string name,
    IReadOnlyList<CaseKey> cases,
    Func<string, int, double?> speed,
    List<string> log,
    Action? takeTime = null
) : ISide
{
    private readonly Dictionary<string, List<Sample>> _samples = [];

    public bool IsDiscarded { get; private set; }

    public TimeSpan LaunchTime => TimeSpan.Zero;

    public Run Planned { get; } =
        SyntheticRuns.Of(name, cases) with
        {
            Cases =
            [
                .. SyntheticRuns.Of(name, cases).Cases.Select(outcome => outcome with { Status = CaseStatus.Interrupted, Samples = [] }),
            ],
        };

    /// <summary>Generations that make a launch; 0 for a side that takes no turns.</summary>
    public int Turns { get; init; }

    private (string CaseId, int Steps) _begun;

    public bool TakesTurns(string caseId) => Turns > 0;

    public TurnState Begin(string caseId)
    {
        _begun = (caseId, 0);
        log.Add($"{name} begin");
        return speed(caseId, 0) is null ? TurnState.Ended : TurnState.Waiting;
    }

    public TurnState Step()
    {
        _begun.Steps++;
        log.Add($"{name} step");
        takeTime?.Invoke();
        return _begun.Steps >= Turns ? TurnState.HasEnough : TurnState.Waiting;
    }

    public CaseOutcome End() => Launch(_begun.CaseId);

    public CaseOutcome Launch(string caseId)
    {
        takeTime?.Invoke();
        log.Add($"{name} {caseId}");
        List<Sample> samples = _samples.TryGetValue(caseId, out List<Sample>? known) ? known : _samples[caseId] = [];
        int launch = samples.Select(sample => sample.LaunchIndex).Distinct().Count() + 1;
        CaseKey key = cases.First(candidate => CaseId.For(candidate) == caseId);
        if (speed(caseId, launch) is not { } rate)
        {
            return Outcome(caseId) with { Status = CaseStatus.Failed, Error = "it broke" };
        }

        CaseOutcome measured = SyntheticRuns.Of(name, [key], rate, launches: 1).Cases[0];
        samples.AddRange(measured.Samples.Select(sample => sample with { LaunchIndex = launch }));
        return measured with { Samples = [.. samples.Where(sample => sample.LaunchIndex == launch)] };
    }

    public Run Complete() => Planned with { Cases = [.. Planned.Cases.Select(outcome => Outcome(outcome.CaseId))] };

    public void Discard() => IsDiscarded = true;

    public void Dispose()
    {
        // Nothing was started.
    }

    private CaseOutcome Outcome(string caseId) =>
        SyntheticRuns.Of(name, cases).Cases.First(outcome => outcome.CaseId == caseId) with
        {
            Samples = _samples.GetValueOrDefault(caseId, []),
        };
}
