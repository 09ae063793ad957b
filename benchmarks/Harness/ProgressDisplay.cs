using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.EventProcessors;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// What a person sees while the suite measures: what is being done, case n of m, launch k, the rate so far, time left. One line, written
/// when something happens and once a second; a write takes microseconds of one core.
/// </summary>
internal sealed class ProgressDisplay : EventProcessor, ILogger, IDisposable
{
    private readonly SuiteOptions _options;
    private readonly SuitePlan _plan;
    private readonly PlannedCase[] _cases;
    private readonly CaseNames _names;
    private readonly TimeEstimate _time;
    private readonly LiveLine _line = new();
    private readonly Dictionary<string, CaseProgress> _progress = [];
    private CaseProgress _current = new("", 0);
    private long _launchStarted = Stopwatch.GetTimestamp();
    private double _warmUpMs;
    private double _measuredMs;

    /// <param name="options">How often each case is measured.</param>
    /// <param name="plan">What is measured.</param>
    /// <param name="memoryGigabytesPerSecond">What the read test found.</param>
    public ProgressDisplay(SuiteOptions options, SuitePlan plan, double? memoryGigabytesPerSecond = null)
    {
        (_options, _plan) = (options, plan);
        _cases = [.. plan.Generations];
        _names = CaseNames.Among(_cases.Select(planned => planned.Key));
        _time = new TimeEstimate(_cases, options, memoryGigabytesPerSecond);
    }

    public string Id => nameof(ProgressDisplay);

    public int Priority => 0;

    public void ShowPlan()
    {
        foreach (string engine in _plan.Runnable.Select(planned => $"{planned.Key.Engine} on {planned.Key.Provider}").Distinct())
        {
            Screen.Line(
                $"Measuring with {engine}{(_options.Engines is null || _options.Providers is null ? ", the best that is here" : "")}."
            );
        }

        ShowProblems(_plan);
        if (!Workspace.IsOptimized)
        {
            Screen.Line("Debug build: run with -c Release for numbers that mean anything.", Tone.Doubtful);
        }

        if (_cases.Length > 0)
        {
            Screen.Line($"{Plain.Counted(_cases.Length, "case")}, {Effort(_options)}, about {Plain.Duration(_time.Left(_ => 0))}.");
        }
    }

    /// <summary>Cases that are not measured, each reason once.</summary>
    public static void ShowProblems(SuitePlan plan)
    {
        Run run = new(new RunIdentity("", default, null), new RunEnvironment(), [.. plan.Cases.Select(OutcomeReader.NotMeasured)]);
        ResultRow[] rows = [.. Aggregates.Rows(run).Zip(plan.Cases).Select(pair => pair.First with { Status = Status(pair.Second) })];
        foreach (string problem in CaseNotes.Problems(rows))
        {
            Screen.Line(problem);
        }

        static CaseStatus Status(PlannedCase planned) =>
            planned.SkipReason is not null ? CaseStatus.Skipped
            : planned.Failure is not null ? CaseStatus.Failed
            : CaseStatus.Ok;
    }

    /// <summary>How often each case is measured: <c>3 launches of 1 + 5 generations each</c>.</summary>
    public static string Effort(SuiteOptions options) =>
        $"{Plain.Counted(options.Launches, "launch", "launches")} of {options.Warmups} + {options.Iterations} generations each";

    public override void OnStartBuildStage(IReadOnlyList<BuildPartition> partitions)
    {
        if (_options.Isolation == Isolation.Process)
        {
            _line.Say("building the measuring process");
            Show("", "building the measuring process");
        }
    }

    public override void OnStartRunBenchmark(BenchmarkCase benchmarkCase)
    {
        string name = PlannedCases.Of(benchmarkCase) is { } planned ? _names.Of(planned.Key) : benchmarkCase.Descriptor.GetFilterName();
        string id = PlannedCases.Of(benchmarkCase)?.CaseId ?? name;
        if (!_progress.TryGetValue(id, out CaseProgress? known))
        {
            _progress.Add(id, known = new CaseProgress(name, _progress.Count + 1));
        }

        _current = known;
        _launchStarted = Stopwatch.GetTimestamp();
        if (_options.Cooldown > TimeSpan.Zero)
        {
            Show(Place(), "cooling down");
            Thread.Sleep(_options.Cooldown);
        }

        Show(Place(), "starting");
    }

    public override void OnEndRunBenchmark(BenchmarkCase benchmarkCase, BenchmarkReport report)
    {
        string outcome =
            !report.Success ? "failed"
            : _current.Rates.Count > 0 ? $"{Figure.Text(Median(_current.Rates))} tok/s"
            : "done";
        _line.Clear();
        Screen.Line($"{Place(withLaunch: false)}  {outcome}", report.Success ? Tone.Plain : Tone.Bad);
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
        switch (MeasurementLine.Parse(text))
        {
            case ProcessStarted:
                (_warmUpMs, _measuredMs) = (0, 0);
                Show(Place(), "loading the model");
                break;
            case LaunchStarted:
                Show(Place(), "warming up");
                break;
            case WarmedUp warmed:
                _warmUpMs = warmed.Ms;
                Show(Place(), "measuring");
                break;
            case IterationMeasured iteration:
                Add(iteration);
                break;
            case LaunchEnded:
                EndLaunch();
                break;
        }
    }

    public void Flush()
    {
        // Nothing is held back.
    }

    public void Dispose() => _line.Dispose();

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private void Add(IterationMeasured iteration)
    {
        if (iteration.IsWarmUp)
        {
            return;
        }

        _measuredMs += iteration.Result.EndToEndMs;
        _current.Iteration++;
        if (_cases.FirstOrDefault(planned => _progress.GetValueOrDefault(planned.CaseId) == _current) is { } planned)
        {
            _time.AddGeneration(planned.CaseId, iteration.Result.TtftMs, iteration.Result.DecodeMs);
        }

        if (iteration.Result.DecodeTps is { } rate)
        {
            _current.Rates.Add(rate);
        }

        // What the table will show: the median so far.
        string shown = _current.Rates.Count > 0 ? $"{Figure.Text(Median(_current.Rates))} tok/s" : "";
        Show(Place(), $"generation {_current.Iteration} of {_options.Iterations}", shown);
    }

    private void EndLaunch()
    {
        if (_cases.FirstOrDefault(planned => _progress.GetValueOrDefault(planned.CaseId) == _current) is { } planned)
        {
            double seconds = Stopwatch.GetElapsedTime(_launchStarted).TotalSeconds;
            _time.AddLaunch(planned.CaseId, seconds, _warmUpMs > 0 ? _warmUpMs : null, _measuredMs);
        }

        _launchStarted = Stopwatch.GetTimestamp();
        _current.Launches++;
        _current.Iteration = 0;
    }

    private string Place(bool withLaunch = true)
    {
        string launch =
            withLaunch && _options.Launches > 1
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"  launch {Math.Min(_current.Launches + 1, _options.Launches)} of {_options.Launches}"
                )
                : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"[{_current.Number}/{Math.Max(_cases.Length, _current.Number)}] {_current.Name}{launch}"
        );
    }

    private void Show(string place, string phase, string rate = "")
    {
        double left = _time.Left(id => _progress.GetValueOrDefault(id)?.Launches ?? 0);
        _line.Show([place, rate, phase], left, isGuess: !_time.IsMeasured, _launchStarted);
    }

    private sealed class CaseProgress(string name, int number)
    {
        public string Name => name;

        public int Number => number;

        public int Launches { get; set; }

        public int Iteration { get; set; }

        public List<double> Rates { get; } = [];
    }
}
