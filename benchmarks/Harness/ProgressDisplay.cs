using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.EventProcessors;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results;
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
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(250);

    private readonly SuiteOptions _options;
    private readonly SuitePlan _plan;
    private readonly PlannedCase[] _cases;
    private readonly CaseNames _names;
    private readonly TimeEstimate _time;
    private readonly LiveLine _line = new();
    private readonly Dictionary<string, CaseProgress> _progress = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private CaseProgress _current = new("");
    private int _ended;
    private long _launchStarted = Stopwatch.GetTimestamp();
    private long _shown;
    private double _warmUpMs;
    private double _measuredMs;

    // Until the measuring process is built.
    private double _buildSeconds;

    /// <param name="options">How often each case is measured.</param>
    /// <param name="plan">What is measured.</param>
    /// <param name="memoryGigabytesPerSecond">What the read test found.</param>
    public ProgressDisplay(SuiteOptions options, SuitePlan plan, double? memoryGigabytesPerSecond = null)
    {
        (_options, _plan) = (options, plan);
        _cases = [.. plan.Generations];
        _names = CaseNames.Among(_cases.Select(planned => planned.Key));
        _time = new TimeEstimate(_cases, options, memoryGigabytesPerSecond);
        _buildSeconds = options.Isolation == Isolation.Process && Workspace.NoBuiltProcesses() is null ? TimeEstimate.BuildSeconds : 0;
    }

    public string Id => nameof(ProgressDisplay);

    public int Priority => 0;

    public void ShowPlan()
    {
        string[] engines =
        [
            .. _plan
                .Runnable.GroupBy(planned => planned.Key.Provider, planned => planned.Key.Engine)
                .Select(place => $"{string.Join(", ", place.Distinct())} on {place.Key}"),
        ];
        if (engines.Length > 0)
        {
            Screen.Line(
                $"Measuring with {string.Join(" and ", engines)}"
                    + $"{(_options.Engines is null || _options.Providers is null ? ", the best that is here" : "")}."
            );
        }

        ShowProblems(_plan);
        if (!Workspace.IsOptimized)
        {
            Screen.Line("Debug build: run with -c Release for numbers that mean anything.", Tone.Doubtful);
        }

        if (_cases.Length > 0)
        {
            string order =
                _options.Order == LaunchOrder.Random && _cases.Length > 1 && _options.Until is null
                    ? string.Create(CultureInfo.InvariantCulture, $", in random order (seed {_options.Seed})")
                    : "";
            string time = _options.Until is null ? $", about {Plain.Duration(_time.Left(_ => 0) + _buildSeconds)}" : "";
            Screen.Line($"{Plain.Counted(_cases.Length, "case")}, {Effort(_options)}{order}{time}.");
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
        options.Until is { } target
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"launches of {options.Warmups} + {options.Iterations} generations until decode rates are known within "
                    + $"{target * 100:0.##} %; budget {options.Budget.Text("launches")}"
            )
            : $"{Plain.Counted(options.Launches, "launch", "launches")} of {options.Warmups} + {options.Iterations} generations each"
                + (options.LeastMeasured > TimeSpan.Zero ? ", or a second of them" : "");

    public override void OnStartBuildStage(IReadOnlyList<BuildPartition> partitions)
    {
        if (_buildSeconds > 0)
        {
            _launchStarted = Stopwatch.GetTimestamp();
            LiveLine.Say("building the measuring process");
            Show("", "building the measuring process");
        }
    }

    public override void OnEndBuildStage() => _buildSeconds = 0;

    public override void OnStartRunBenchmark(BenchmarkCase benchmarkCase)
    {
        // A launch of the main job says itself when it begins.
        if (PlannedCases.Of(benchmarkCase) is null)
        {
            Begin(benchmarkCase.Descriptor.GetFilterName(), benchmarkCase.Descriptor.GetFilterName(), 0);
        }
    }

    /// <summary>A launch of a case of the main job begins.</summary>
    public void BeginLaunch(PlannedCase planned, int launch)
    {
        EndLaunch();
        Begin(planned.CaseId, _names.Of(planned.Key), launch - 1);
    }

    public override void OnEndRunBenchmark(BenchmarkCase benchmarkCase, BenchmarkReport report)
    {
        string name = benchmarkCase.Descriptor.GetFilterName();
        CaseProgress ended = _progress.GetValueOrDefault(PlannedCases.Of(benchmarkCase)?.CaseId ?? name) ?? new CaseProgress(name);
        _ended++;
        string outcome =
            !report.Success ? "failed"
            : ended.Rates.Count > 0 ? $"{Figure.Text(ended.Rates.Median())} tok/s"
            : "done";
        _line.Clear();

        // Launches in random order end all cases at once, just above the table.
        if (report.Success && _options.Order == LaunchOrder.Random && _cases.Length > 1)
        {
            return;
        }

        string place = string.Create(CultureInfo.InvariantCulture, $"[{_ended}/{Math.Max(_cases.Length, _ended)}]");
        Screen.Line($"{place} {ended.Name}  {outcome}", report.Success ? Tone.Plain : Tone.Bad);
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

        // Medians of a thousand short generations, for each of them, would take the processors that are being measured.
        if (Stopwatch.GetElapsedTime(_shown) < s_pause)
        {
            return;
        }

        _shown = Stopwatch.GetTimestamp();
        // What the table will show: the median so far.
        string shown = _current.Rates.Count > 0 ? $"{Figure.Text(_current.Rates.Median())} tok/s" : "";
        // Of short ones more are measured than were asked for.
        string all = _current.Iteration <= _options.Iterations ? $" of {_options.Iterations}" : "";
        Show(Place(), $"generation {_current.Iteration}{all}", shown);
    }

    private void Begin(string id, string name, int launches)
    {
        if (!_progress.TryGetValue(id, out CaseProgress? known))
        {
            _progress.Add(id, known = new CaseProgress(name));
        }

        bool isOther = known != _current;
        _current = known;
        (_current.Launches, _current.Iteration) = (launches, 0);
        (_warmUpMs, _measuredMs) = (0, 0);
        _launchStarted = Stopwatch.GetTimestamp();
        if (_options.Cooldown > TimeSpan.Zero && isOther)
        {
            Show(Place(), "cooling down");
            Thread.Sleep(_options.Cooldown);
        }

        Show(Place(), "starting");
    }

    private void EndLaunch()
    {
        if (_cases.FirstOrDefault(planned => _progress.GetValueOrDefault(planned.CaseId) == _current) is { } planned && _measuredMs > 0)
        {
            double seconds = Stopwatch.GetElapsedTime(_launchStarted).TotalSeconds;
            _time.AddLaunch(planned.CaseId, seconds, _warmUpMs > 0 ? _warmUpMs : null, _measuredMs);
            if (_current.Rates.Count > 0)
            {
                LiveLine.Say($"{Place()} {Figure.Text(_current.Rates.Median())} tok/s");
            }

            _current.Launches++;
        }

        _measuredMs = 0;
    }

    // A launch of the main job is one of a case of the plan; other benchmarks have their name alone.
    private string Place()
    {
        int number = Array.FindIndex(_cases, planned => _progress.GetValueOrDefault(planned.CaseId) == _current) + 1;
        string all = _options.Until is null ? $" of {_options.Launches}" : "";
        return number == 0
            ? _current.Name
            : string.Create(
                CultureInfo.InvariantCulture,
                $"[case {number} of {_cases.Length}, launch {_current.Launches + 1}{all}] {_current.Name}"
            );
    }

    private void Show(string place, string phase, string rate = "")
    {
        if (!Screen.IsLive)
        {
            return;
        }

        double? left =
            _options.Until is null ? _buildSeconds + _time.Left(id => _progress.GetValueOrDefault(id)?.Launches ?? 0)
            : _options.Budget.Time is { } time ? Math.Max(0, (time - Stopwatch.GetElapsedTime(_started)).TotalSeconds)
            : null;
        _line.Show([place, rate, phase], left, isGuess: !_time.IsMeasured, _launchStarted);
    }

    private sealed class CaseProgress(string name)
    {
        public string Name => name;

        public int Launches { get; set; }

        public int Iteration { get; set; }

        public List<double> Rates { get; } = [];
    }
}
