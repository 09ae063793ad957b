using System.Diagnostics;
using System.Globalization;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Benchmarks.Pairs;

/// <summary>
/// How ONNX Runtime's threads should wait, measured: each way on its own session, in turn and in random order, on a machine that other
/// processes leave alone or share. A way is worth its ratio to spinning as ONNX Runtime does by itself, run by run.
/// </summary>
internal sealed class SpinExperiment(PlannedCase planned, int runs, Random random)
{
    private readonly int _threads = planned.EngineOptions.Threads ?? PhysicalCores.Count;

    /// <summary>Runs every way so often beside each number of busy processes, and prints a table.</summary>
    public static void Show(SuiteOptions options, int runs, IReadOnlyList<int> busyLoops, int seed)
    {
        PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
        List<string[]> rows = [];
        foreach (PlannedCase planned in new CasePlanner(context).Plan(EngineFamilies.Choose(context)).Where(planned => planned.IsRunnable))
        {
            foreach (int busy in busyLoops)
            {
                rows.AddRange(new SpinExperiment(planned, runs, new Random(seed)).Beside(busy));
            }
        }

        Console.WriteLine();
        Screen.Table(
            new TextTable(
                [
                    new("case", false),
                    new("busy loops", true),
                    new("threads wait", false),
                    new("prefill tok/s", true),
                    new("decode tok/s", true),
                    new("ITL p50 ms", true),
                    new("ITL p99 ms", true),
                    new("prefill / spinning", true),
                    new("decode / spinning", true),
                    new("runs", true),
                ],
                rows
            )
        );
    }

    /// <summary>Keeps a processor busy until standard input ends, which it does when the process that asked for it is gone.</summary>
    public static void BusyLoop()
    {
        Thread loop = new(() =>
        {
            while (true)
            {
                Thread.SpinWait(1000);
            }
        })
        {
            IsBackground = true,
        };
        loop.Start();
        while (Console.In.Read() >= 0)
        {
            // Whatever comes, it is not the end.
        }
    }

    private IEnumerable<string[]> Beside(int busy)
    {
        Way[] ways = [.. Ways()];
        List<(Way Way, int Run, GenerationResult Result)> results = [];
        Process[] loops = [.. Enumerable.Range(0, busy).Select(_ => StartBusyLoop())];
        try
        {
            for (int run = 1; run <= runs; run++)
            {
                Console.WriteLine($"{planned.CaseId}, {busy} busy {(busy == 1 ? "loop" : "loops")}: run {run} of {runs}");
                random.Shuffle(ways);
                results.AddRange(ways.Select(way => (way, run, Measure(way))));
            }
        }
        finally
        {
            foreach (Process loop in loops)
            {
                loop.Kill();
                loop.Dispose();
            }
        }

        return Ways().Select(way => Row(way, busy, results));
    }

    private IEnumerable<Way> Ways()
    {
        yield return new Way("spinning", _threads, []);
        yield return new Way("not spinning", _threads, new(SpinEntries.Of("off")));
        yield return new Way("spinning 50 us", _threads, new(SpinEntries.Of("50")));
        yield return new Way("spinning 1000 us", _threads, new(SpinEntries.Of("1000")));
        if (_threads > 1)
        {
            yield return new Way("one thread less", _threads - 1, []);

            // The pool's threads, all but the calling one, each on a processor of its own; processors count from 1.
            yield return new Way(
                "spinning, pinned",
                _threads,
                new() { ["session.intra_op_thread_affinities"] = string.Join(';', Enumerable.Range(2, _threads - 1)) }
            );
        }
    }

    private GenerationResult Measure(Way way)
    {
        Dictionary<string, string> entries = new(way.Entries.Concat(planned.EngineOptions.SessionEntries).DistinctBy(entry => entry.Key));
        using LoadedModel model = LoadedModel.Load(
            planned with
            {
                EngineOptions = planned.EngineOptions with { Threads = way.Threads, SessionEntries = entries },
            }
        );
        int[] prompt = [.. planned.PromptTokens];
        _ = model.Generator.Generate(prompt, planned.Key.MaxLength);
        return model.Generator.Generate(prompt, planned.Key.MaxLength);
    }

    private string[] Row(Way way, int busy, List<(Way Way, int Run, GenerationResult Result)> results)
    {
        GenerationResult[] own =
        [
            .. results.Where(result => result.Way.Name == way.Name).OrderBy(result => result.Run).Select(result => result.Result),
        ];
        GenerationResult[] spinning =
        [
            .. results.Where(result => result.Way.Name == "spinning").OrderBy(result => result.Run).Select(result => result.Result),
        ];
        return
        [
            planned.CaseId,
            busy.ToString(CultureInfo.InvariantCulture),
            way.Name,
            Median(own.Select(result => result.PrefillTps)),
            Median(own.Select(result => result.DecodeTps ?? double.NaN)),
            Median(own.Select(result => Quantile(result, 0.5))),
            Median(own.Select(result => Quantile(result, 0.99))),
            Median(own.Zip(spinning, (a, b) => a.PrefillTps / b.PrefillTps)),
            Median(own.Zip(spinning, (a, b) => a.DecodeTps!.Value / b.DecodeTps!.Value)),
            own.Length.ToString(CultureInfo.InvariantCulture),
        ];
    }

    private static double Quantile(GenerationResult result, double share)
    {
        double[] sorted = [.. result.InterTokenMs().Order()];
        return sorted[(int)Math.Round(share * (sorted.Length - 1))];
    }

    private static string Median(IEnumerable<double> values) => Figure.Text(values.Median());

    private static Process StartBusyLoop() => SuiteProgram.This.Start(["spin", "--busy-loop"]);

    private sealed record Way(string Name, int Threads, Dictionary<string, string> Entries);
}
