using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Results;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>One side of a comparison that is being measured: a build with its options, whose cases are launched one at a time, each in a
/// process of its own. Disposing ends what it started; the launches so far stay in its folder.</summary>
internal interface ISide : IDisposable
{
    /// <summary>What can be measured: every case, without samples.</summary>
    Run Planned { get; }

    /// <summary>Time that all launches took, from the start of a process to its end: what measuring costs in any case.</summary>
    TimeSpan LaunchTime { get; }

    /// <summary>Whether launches of a case can take turns with the other side's, generation by generation.</summary>
    bool TakesTurns(string caseId);

    /// <summary>Starts a launch that takes turns, and waits until it is warmed up.</summary>
    /// <exception cref="RunFileException">The side is gone.</exception>
    TurnState Begin(string caseId);

    /// <summary>One generation of the launch that was begun.</summary>
    /// <exception cref="RunFileException">The side is gone.</exception>
    TurnState Step();

    /// <summary>Ends the launch that was begun.</summary>
    /// <returns>As <see cref="Launch"/> does.</returns>
    /// <exception cref="RunFileException">The side is gone.</exception>
    CaseOutcome End();

    /// <summary>Launches a case once.</summary>
    /// <returns>The case with the samples of this launch, or why it failed.</returns>
    /// <exception cref="RunFileException">The side is gone.</exception>
    CaseOutcome Launch(string caseId);

    /// <summary>Ends the side.</summary>
    /// <returns>Its run, with the files where they were asked for.</returns>
    /// <exception cref="RunFileException">The files cannot be written.</exception>
    Run Complete();

    /// <summary>Ends the side and removes what it has in its folder.</summary>
    void Discard();
}
