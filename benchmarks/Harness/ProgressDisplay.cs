using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.EventProcessors;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// What a person sees while the suite measures: case n of m, the rate so far, time left. It writes only when a line arrives
/// from the measuring process, between iterations, so that drawing takes no time from a measurement.
/// </summary>
internal sealed class ProgressDisplay(SuiteOptions options, SuitePlan plan) : EventProcessor, ILogger, IDisposable
{
    private readonly int _iterationsPerCase = options.Launches * (options.Warmups + options.Iterations);
    private readonly int _caseCount = plan.Generations.Count();
    private readonly bool _live = !Console.IsOutputRedirected;
    private readonly Stopwatch _sinceFirstCase = new();
    private readonly List<double> _rates = [];
    private int _case;
    private int _launch;
    private int _index;
    private int _iterationsDone;
    private string _name = "";
    private bool _onLiveLine;

    public string Id => nameof(ProgressDisplay);

    public int Priority => 0;

    public void ShowPlan()
    {
        foreach (string engine in plan.Runnable.Select(planned => $"{planned.Key.Engine} on {planned.Key.Provider}").Distinct())
        {
            Console.WriteLine(
                $"Measuring with {engine}{(options.Engines is null || options.Providers is null ? ", the best that is here" : "")}."
            );
        }

        foreach (PlannedCase planned in plan.Cases.Where(planned => planned.SkipReason is not null))
        {
            Console.WriteLine($"Skipped {planned.CaseId}: {planned.SkipReason}");
        }

        foreach (PlannedCase planned in plan.Cases.Where(planned => planned.Failure is not null))
        {
            Console.WriteLine($"Failed {planned.CaseId}: {planned.Failure}");
        }

        if (!Workspace.IsOptimized)
        {
            Console.WriteLine("Debug build: run with -c Release for numbers that mean anything.");
        }

        if (_caseCount > 0)
        {
            Console.WriteLine(
                options.Until is { } target
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"{_caseCount} cases, launches of {options.Warmups} + {options.Iterations} generations until decode rates are "
                            + $"known within {target * 100:0.##} %; budget {options.Budget.Text("launches")}."
                    )
                    : $"{_caseCount} cases, {options.Launches} launches of {options.Warmups} + {options.Iterations} generations each"
                        + (options.Order == LaunchOrder.Random && _caseCount > 1 ? $", in random order (seed {options.Seed})." : ".")
            );
        }
    }

    public override void OnStartBuildStage(IReadOnlyList<BuildPartition> partitions)
    {
        if (options.Isolation == Isolation.Process)
        {
            ShowLive("building the measuring process");
        }
    }

    public override void OnStartRunBenchmark(BenchmarkCase benchmarkCase)
    {
        _case++;
        _sinceFirstCase.Start();
        if (PlannedCases.Of(benchmarkCase) is null)
        {
            Begin(benchmarkCase.Descriptor.GetFilterName());
        }
    }

    /// <summary>A launch of a case of the main job begins.</summary>
    public void BeginLaunch(PlannedCase planned, int launch)
    {
        EndLaunch();
        _launch++;
        _index = launch;
        Begin(planned.CaseId);
    }

    // Where a file takes the output, a line a launch; a person has the live line.
    private void EndLaunch()
    {
        if (!_live && _index > 0 && _rates.Count > 0)
        {
            Console.WriteLine(FormattableString.Invariant($"launch {_launch}{OfLaunches}: {_name} #{_index}  {Median(_rates):0.0} tok/s"));
        }

        _rates.Clear();
    }

    private void Begin(string name)
    {
        if (options.Cooldown > TimeSpan.Zero && name != _name)
        {
            ShowLive($"cooling down for {options.Cooldown.TotalSeconds:0} s");
            Thread.Sleep(options.Cooldown);
        }

        _name = name;
        _rates.Clear();
        ShowLive($"{Place} {_name}");
    }

    private string OfLaunches => options.Until is null ? $" of {_caseCount * options.Launches}" : "";

    private string Place => _index > 0 ? $"[launch {_launch}{OfLaunches}]" : $"[{_case}/{Math.Max(_caseCount, _case)}]";

    public override void OnEndRunBenchmark(BenchmarkCase benchmarkCase, BenchmarkReport report)
    {
        double[] rates =
        [
            .. OutcomeReader
                .Launches(report)
                .SelectMany(lines => lines)
                .OfType<IterationMeasured>()
                .Where(line => !line.IsWarmUp)
                .Select(line => line.Result.DecodeTps)
                .OfType<double>(),
        ];
        string outcome =
            !report.Success ? "failed"
            : rates.Length > 0 ? FormattableString.Invariant($"{Median(rates):0.0} tok/s")
            : "done";
        EndLaunch();
        _index = 0;
        ClearLive();
        string name = PlannedCases.Of(benchmarkCase)?.CaseId ?? _name;
        Console.WriteLine($"[{_case}/{Math.Max(_caseCount, _case)}] {name}  {outcome}");
    }

    public void Write(LogKind logKind, string text)
    {
        // Only whole lines matter here.
    }

    public void WriteLine()
    {
        // As above.
    }

    public void WriteLine(LogKind logKind, string text)
    {
        if (MeasurementLine.Parse(text) is IterationMeasured iteration)
        {
            _iterationsDone++;
            if (!iteration.IsWarmUp && iteration.Result.DecodeTps is { } rate)
            {
                _rates.Add(rate);
            }

            // What the table will show: the median so far.
            double? shown = _rates.Count > 0 ? Median(_rates) : iteration.Result.DecodeTps;
            ShowLive(
                FormattableString.Invariant($"{Place} {_name}  {(iteration.IsWarmUp ? "warm-up " : "")}{shown:0.0} tok/s  {TimeLeft()}")
            );
        }
    }

    public void Flush()
    {
        // Nothing is held back.
    }

    public void Dispose() => ClearLive();

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private string TimeLeft()
    {
        if (options.Until is not null)
        {
            return options.Budget.Time is { } time
                ? FormattableString.Invariant($"{Math.Max(0, (time - _sinceFirstCase.Elapsed).TotalMinutes):0.0} min at most")
                : "";
        }

        double left = _sinceFirstCase.Elapsed.TotalSeconds / _iterationsDone * ((_caseCount * _iterationsPerCase) - _iterationsDone);
        return left >= 90
            ? FormattableString.Invariant($"{left / 60:0} min left")
            : FormattableString.Invariant($"{Math.Max(0, left):0} s left");
    }

    private void ShowLive(string text)
    {
        if (!_live)
        {
            return;
        }

        int width = Math.Max(20, Console.WindowWidth - 1);
        Console.Write('\r' + (text.Length > width ? text[..width] : text.PadRight(width)));
        _onLiveLine = true;
    }

    private void ClearLive()
    {
        if (_onLiveLine)
        {
            Console.Write('\r' + new string(' ', Math.Max(20, Console.WindowWidth - 1)) + '\r');
            _onLiveLine = false;
        }
    }
}
