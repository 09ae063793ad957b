using System.Diagnostics;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>A side whose program plans once, waits, and makes a launch when it is told to: <see cref="LaunchServer"/>.</summary>
internal sealed class ServedSide : ISide
{
    private readonly SideProgram _side;
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly Action<string> _say;

    private ServedSide(SideProgram side, Process process, Action<string> say)
    {
        (_side, _process, _say) = (side, process, say);
        _errors = process.StandardError.ReadToEndAsync();
        Planned = new Run(new RunIdentity("", default, null), new RunEnvironment(), []);
    }

    public Run Planned { get; private set; }

    public TimeSpan LaunchTime { get; private set; }

    /// <summary>Starts the program, and waits until it has planned and made the models that it needs.</summary>
    /// <exception cref="RunFileException">It does not come so far.</exception>
    /// <exception cref="UsageException">It does not take its options.</exception>
    public static ServedSide Start(SideProgram side, Action<string> say)
    {
        Process process = side.Program.Start([LaunchServer.Verb, .. side.Arguments, "--output", side.Output], side.Directory);
        ServedSide started = new(side, process, say);
        try
        {
            started.Planned = Read(started.Await<SideReady>().Folder);
            return started;
        }
        catch
        {
            started.Dispose();
            throw;
        }
    }

    // A program that measures by itself makes all of its generations at once.
    public bool TakesTurns(string caseId) =>
        Planned.Cases.FirstOrDefault(outcome => outcome.CaseId == caseId) is { } planned
        && !EngineFamilies.Of(planned.Case.Engine).MeasuresItself;

    public TurnState Begin(string caseId) => Turn($"begin {caseId}");

    public TurnState Step() => Turn("step");

    public CaseOutcome End() => Launched("end");

    public CaseOutcome Launch(string caseId) => Launched($"launch {caseId}");

    private TurnState Turn(string line)
    {
        Tell(line);
        return Await<SideStands>().State;
    }

    private CaseOutcome Launched(string line)
    {
        Tell(line);
        SideLaunched launched = Await<SideLaunched>();
        LaunchTime += TimeSpan.FromMilliseconds(launched.Ms);
        return Read(launched.Folder).Cases.Single();
    }

    public Run Complete()
    {
        Tell("complete");
        Run run = Read(Await<SideCompleted>().Folder);
        _process.WaitForExit();
        return run;
    }

    public void Discard()
    {
        if (!_process.HasExited)
        {
            Tell("discard");
        }
    }

    public void Dispose()
    {
        // At the end of its input it stops by itself, with what it has in its folder.
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            LaunchLimit.Kill(_process.Id);
        }

        // Not disposed: a signal ends the side while another thread waits for its answer.
    }

    private static Run Read(string folder) => RunReader.Read(folder).Single();

    private void Tell(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // It has ended, or a signal has just ended it.
            throw Gone();
        }
    }

    private T Await<T>()
        where T : SideMessage
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            switch (SideMessage.Parse(line))
            {
                case T message:
                    return message;
                case null when line.Length > 0:
                    _say($"{_side.Label}: {line}");
                    break;
                default:
                    break;
            }
        }

        throw Gone();
    }

    private Exception Gone()
    {
        _process.WaitForExit();
        string reason = OwnLaunch.LastLine(_errors.Result) ?? $"it ended with exit code {_process.ExitCode} and said nothing";
        return _process.ExitCode == ExitCode.Usage
            ? new UsageException($"{_side.Label}: {reason}")
            : new RunFileException($"{_side.Label}: {reason}");
    }
}
