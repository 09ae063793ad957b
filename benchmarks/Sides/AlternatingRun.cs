using System.Globalization;
using System.Runtime.InteropServices;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference.Conditions;
using Llama3Perf.Results;
using Llama3Perf.Results.Gate;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>What <c>ab</c> does: two sides, launched in turn until every case is decided; their files and the verdict.</summary>
/// <param name="Baseline">The baseline.</param>
/// <param name="Current">The side that is held against it.</param>
/// <param name="Options">What the verdicts are made by.</param>
/// <param name="Budget">When to give up.</param>
/// <param name="Seed">Of every order.</param>
/// <param name="Quiet">How quiet a machine is wanted, as the options of a run say it.</param>
/// <param name="TakesTurns">Lets the generations of both sides' launches take turns, instead of whole launches.</param>
internal sealed record AlternatingRun(
    SideProgram Baseline,
    SideProgram Current,
    GateOptions Options,
    Budget Budget,
    int Seed,
    SuiteOptions Quiet,
    bool TakesTurns = true
)
{
    /// <summary>Measures, shows and writes.</summary>
    /// <param name="output">Folder of the verdict, above those of the sides.</param>
    public SequentialVerdict Measure(string output)
    {
        // Wrong options are told before anything is started.
        _ = new SequentialGate(["any"], Options);
        bool isNew = !Directory.Exists(output);
        List<ISide> sides = [];
        using Signals signals = new(this, sides);
        try
        {
            sides.AddRange(SideProgram.Start([Baseline, Current], Console.WriteLine));
            return Measure(sides[0], sides[1], output);
        }
        catch (RunFileException) when (signals.HaveCome)
        {
            // A side is gone because this process is about to end too.
            Thread.Sleep(Timeout.Infinite);
            throw;
        }
        catch (UsageException)
        {
            sides.ForEach(side => side.Discard());
            throw;
        }
        finally
        {
            sides.ForEach(side => side.Dispose());
            if (isNew && Directory.Exists(output) && !Directory.EnumerateFileSystemEntries(output).Any())
            {
                Directory.Delete(output);
            }
        }
    }

    private SequentialVerdict Measure(ISide baseline, ISide current, string output)
    {
        IReadOnlyList<SidePair> pairs = SidePairs.Of(baseline.Planned, current.Planned, Options.Vary);
        Console.WriteLine(
            $"{pairs.Count} {(pairs.Count == 1 ? "case" : "cases")} in blocks of "
                + $"four launches, two a side{(TakesTurns ? ", whose generations take turns" : "")}; budget "
                + $"{Budget.Text("blocks")}; seed {Seed}."
        );
        new QuietMachine(ForeignLoad.Look, Console.WriteLine).Check(Quiet);
        BlockMeasurement measurement = new(
            baseline,
            current,
            pairs,
            Options,
            Budget,
            Seed,
            TimeProvider.System,
            Console.WriteLine,
            TakesTurns
        );
        string ended = measurement.Run();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{measurement.Elapsed.TotalMinutes:0.0} min, of which the launches themselves took "
                    + $"{(baseline.LaunchTime + current.LaunchTime) / measurement.Elapsed * 100:0} %."
            )
        );
        SequentialVerdict verdict = SequentialVerdict.Of(measurement.Gate, pairs, baseline.Complete(), current.Complete(), Seed, ended);
        foreach (string file in SequentialReport.WriteFiles(verdict, output))
        {
            Console.WriteLine(file);
        }

        return verdict;
    }

    /// <summary>Ends the sides when this process is ended. Their launches stay where they are.</summary>
    private sealed class Signals : IDisposable
    {
        private static readonly TimeSpan s_delay = TimeSpan.FromSeconds(1);

        private readonly ManualResetEventSlim _haveCome = new();
        private readonly PosixSignalRegistration[] _registrations;

        public Signals(AlternatingRun run, List<ISide> sides) =>
            _registrations = [
                .. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal =>
                    PosixSignalRegistration.Create(signal, context => End(context, run, sides))
                ),
            ];

        /// <summary>In a terminal a signal goes to the sides as well, and they may be faster.</summary>
        public bool HaveCome => _haveCome.Wait(s_delay);

        public void Dispose()
        {
            foreach (PosixSignalRegistration registration in _registrations)
            {
                registration.Dispose();
            }

            _haveCome.Dispose();
        }

        private void End(PosixSignalContext context, AlternatingRun run, List<ISide> sides)
        {
            context.Cancel = true;
            _haveCome.Set();
            sides.ForEach(side => side.Dispose());
            Console.Error.WriteLine($"\ninterrupted; the launches so far are in {run.Baseline.Output} and {run.Current.Output}");
            Environment.Exit(
                context.Signal switch
                {
                    PosixSignal.SIGTERM => 143,
                    PosixSignal.SIGHUP => 129,
                    _ => ExitCode.Interrupted,
                }
            );
        }
    }
}
