using System.Diagnostics;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>
/// A side whose build knows nothing of sides: each launch is a run of its own, of one case and one launch, within its process. It plans
/// anew for each launch and is slower for that; what it measures is the same.
/// </summary>
internal sealed class OlderSide : ISide
{
    private readonly SideProgram _side;
    private readonly string _work;
    private readonly Dictionary<string, List<Run>> _launches = [];

    private OlderSide(SideProgram side, string work) => (_side, _work, Planned) = (side, work, null!);

    public Run Planned { get; private set; }

    public TimeSpan LaunchTime { get; private set; }

    /// <summary>Lets the build run its cases once, shortly, to learn which they are.</summary>
    /// <exception cref="RunFileException">It does not.</exception>
    /// <exception cref="UsageException">It does not take its options.</exception>
    public static OlderSide Start(SideProgram side, Action<string> say)
    {
        say($"{side.Label}: this build is older than ab, so every launch is a run of its own");
        OlderSide started = new(side, Directory.CreateTempSubdirectory("llama3perf-side-").FullName);
        try
        {
            Run first = started.Measure("plan", ["--iterations", "1", "--warmup", "0"]);
            started.Planned = first with { Cases = [.. first.Cases.Select(WithoutSamples)] };
            return started;
        }
        catch
        {
            started.Dispose();
            throw;
        }
    }

    public bool TakesTurns(string caseId) => false;

    public TurnState Begin(string caseId) => throw new NotSupportedException();

    public TurnState Step() => throw new NotSupportedException();

    public CaseOutcome End() => throw new NotSupportedException();

    public CaseOutcome Launch(string caseId)
    {
        List<Run> launches = _launches.TryGetValue(caseId, out List<Run>? known) ? known : _launches[caseId] = [];
        long begun = Stopwatch.GetTimestamp();
        Run run = Measure("launch", ["--case", caseId]);
        LaunchTime += Stopwatch.GetElapsedTime(begun);
        CaseOutcome outcome = run.Cases.Single();
        launches.Add(run);
        return outcome with { Samples = [.. outcome.Samples.Select(sample => sample with { LaunchIndex = launches.Count })] };
    }

    public Run Complete()
    {
        Run joined = Join(Planned, _launches);
        RunWriter.Write(joined, _side.Output);
        return joined with { Source = _side.Output };
    }

    public void Discard()
    {
        // Nothing is written before the end.
    }

    public void Dispose() => Directory.Delete(_work, recursive: true);

    /// <summary>Runs of one launch of one case each as one run of several.</summary>
    /// <param name="planned">All cases.</param>
    /// <param name="launches">The runs of each case that was measured, in their order.</param>
    internal static Run Join(Run planned, IReadOnlyDictionary<string, List<Run>> launches)
    {
        Run first = launches.Values.SelectMany(runs => runs).FirstOrDefault() ?? planned;
        return new Run(
            first.Identity,
            first.Environment,
            [
                .. planned.Cases.Select(outcome =>
                    launches.TryGetValue(outcome.CaseId, out List<Run>? runs)
                        ? LaunchJoin.Of([.. runs.Select(run => run.Cases.Single())], first.Identity, first.Environment)
                        : outcome
                ),
            ]
        );
    }

    private static CaseOutcome WithoutSamples(CaseOutcome outcome) =>
        outcome.Status != CaseStatus.Ok
            ? outcome
            : outcome with
            {
                Status = CaseStatus.Interrupted,
                Error = "nothing was measured yet",
                Samples = [],
            };

    private Run Measure(string name, IReadOnlyList<string> more)
    {
        string output = Path.Combine(_work, name);
        using Process process = _side.Program.Start(
            ["run", .. _side.Arguments, "--isolation", "none", "--launches", "1", .. more, "--output", output],
            _side.Directory
        );
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        // With exit code 1 a case has failed, which its row says.
        if (process.ExitCode is ExitCode.Success or ExitCode.Failed && File.Exists(Path.Combine(output, RunFolder.Results)))
        {
            return RunReader.Read(output).Single();
        }

        string reason = $"{_side.Label}: {OwnLaunch.LastLine(errors.Result) ?? $"a run ended with exit code {process.ExitCode}"}";
        throw process.ExitCode == ExitCode.Usage ? new UsageException(reason) : new RunFileException(reason);
    }
}
