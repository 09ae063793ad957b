using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Toolchains.Results;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Conditions;
using Llama3Perf.Results.Rows;
using Perfolizer.Mathematics.QuantileEstimators;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Turns what BenchmarkDotNet brought back from the measuring processes into the outcome of a case.</summary>
internal static class OutcomeReader
{
    // Of fewer it cannot be told whether memory goes on growing.
    private const int FewestGpuSteps = 3;

    /// <summary>Lines of every launch of a report, in order.</summary>
    public static IReadOnlyList<IReadOnlyList<MeasurementLine>> Launches(BenchmarkReport report) =>
        [.. report.ExecuteResults.Select(Lines)];

    /// <summary>The outcome of a case that BenchmarkDotNet has done with.</summary>
    public static CaseOutcome Read(PlannedCase planned, BenchmarkReport report, RunIdentity run, RunEnvironment environment)
    {
        LaunchResult[] launches = [.. report.ExecuteResults.Select((result, index) => LaunchResult.Of(planned.CaseId, index + 1, result))];
        BenchmarkDotNet.Jobs.RunMode job = report.BenchmarkCase.Job.Run;
        string? error = report.BuildResult.IsBuildSuccess
            ? null
            : $"BenchmarkDotNet could not build the measuring process: {BuildFailure.Reason(report.BuildResult)}";
        return Read(planned, launches, run, environment) switch
        {
            { Status: CaseStatus.Ok } ok when error is not null => ok with { Status = CaseStatus.Failed, Error = error },
            { Status: CaseStatus.Ok, Samples.Count: var count } ok when count < job.LaunchCount * job.IterationCount => ok with
            {
                Status = CaseStatus.Failed,
                Error = $"{count} of {job.LaunchCount * job.IterationCount} iterations were measured",
            },
            var outcome => outcome,
        };
    }

    /// <summary>The outcome of the launches that there are.</summary>
    public static CaseOutcome Read(PlannedCase planned, IReadOnlyList<LaunchResult> launches, RunIdentity run, RunEnvironment environment)
    {
        if (
            launches.SelectMany(launch => launch.Parsed).OfType<ProgramMeasured>().Select(line => line.Text).ToArray() is
            { Length: > 0 } own
        )
        {
            return EngineFamilies.Of(planned.Key.Engine).Read(planned, own, run, environment);
        }

        LaunchStarted? started = launches.SelectMany(launch => launch.Parsed).OfType<LaunchStarted>().FirstOrDefault();
        // The key is what was asked for; of what was observed only what another program tells is known to nobody before: the versions of
        // its parts, and what an option of its own made of the weights.
        CaseKey key = planned.Key with
        {
            EngineVersions = Versions(started?.Engine),
            Precision = started?.Engine.Precision ?? planned.Key.Precision,
        };
        List<Sample> samples = [];
        foreach (LaunchResult launch in launches)
        {
            IEnumerable<IterationMeasured> measured = launch.Parsed.OfType<IterationMeasured>().Where(iteration => !iteration.IsWarmUp);
            samples.AddRange(
                measured.Select(
                    (iteration, index) =>
                        OfLaunch(ToSample(iteration, planned, key, run, environment, launch.Index, index + 1), launch.Parsed)
                )
            );
        }

        string[] fallbacks = FallbackOps(launches);
        string? error =
            launches.Select(launch => launch.Failure()).FirstOrDefault(failure => failure is not null) ?? WhyBroken(planned, samples);
        return new CaseOutcome
        {
            Case = key,
            CaseId = planned.CaseId,
            Status = error is null ? CaseStatus.Ok : CaseStatus.Failed,
            Error = error,
            Notes = [.. Notes(started?.Engine, samples), .. GrowthNote(launches), .. FallbackNote(fallbacks)],
            Verification = planned.Verification,
            WarmUps =
            [
                .. launches
                    .SelectMany(launch => launch.Parsed)
                    .OfType<WarmedUp>()
                    .Select(line => new LaunchWarmUp(line.Ms, line.Iterations, line.IsSettled)),
            ],
            TokenizeMs = planned.TokenizeMs,
            WeightBytesPerToken = planned.WeightBytesPerToken,
            CacheBytesPerToken = planned.CacheBytesPerToken,
            ProcessPriority = started?.Priority,
            LaunchOrder = "fixed",
            CpuFallbackOps = fallbacks.Length == 0 ? null : string.Join(", ", fallbacks),
            Samples = samples,
        };
    }

    /// <summary>A case of a run that ended before it had all of its launches.</summary>
    /// <param name="planned">The case.</param>
    /// <param name="launches">Those that it has.</param>
    /// <param name="wanted">How many it was to have; null where that depended on what they showed.</param>
    /// <param name="run">The run.</param>
    /// <param name="environment">Where it ran.</param>
    public static CaseOutcome ReadPart(
        PlannedCase planned,
        IReadOnlyList<LaunchResult> launches,
        int? wanted,
        RunIdentity run,
        RunEnvironment environment
    )
    {
        CaseOutcome outcome = Read(planned, launches, run, environment);
        return outcome.Status != CaseStatus.Ok || launches.Count >= wanted
            ? outcome
            : outcome with
            {
                Status = CaseStatus.Interrupted,
                Error = wanted is null
                    ? $"it was measured until it was known well enough, and had {launches.Count} launches"
                    : $"{launches.Count} of {wanted} launches were measured",
            };
    }

    /// <summary>The outcome of a case that never ran: skipped, or left behind when the run broke off.</summary>
    public static CaseOutcome NotMeasured(PlannedCase planned) =>
        new()
        {
            Case = planned.Key,
            CaseId = planned.CaseId,
            Status = planned.SkipReason is null ? CaseStatus.Failed : CaseStatus.Skipped,
            Verification = planned.Verification,
            Error = planned.SkipReason ?? planned.Failure ?? "BenchmarkDotNet did not run this case; see its log with --verbose",
        };

    private static string[] Notes(EngineDescription? engine, List<Sample> samples)
    {
        double[] apart = [.. samples.Select(sample => sample.ClockDisagreementMs).OfType<double>()];
        IEnumerable<string> clock =
            apart.Length == 0
                ? []
                :
                [
                    FormattableString.Invariant(
                        $"its clock and ours disagree in {apart.Length} of {samples.Count} iterations, by up to {apart.Max():0.0} ms"
                    ),
                ];
        return [.. engine?.Notes ?? [], .. clock];
    }

    // What a generation leaves behind is there after each: one that merely took memory for later grows once.
    private static IEnumerable<string> GrowthNote(IReadOnlyList<LaunchResult> launches)
    {
        long[] steps = [.. launches.SelectMany(launch => GpuSteps(launch.Parsed)).Order()];
        return steps.Length >= FewestGpuSteps && steps[(steps.Length - 1) / 2] is > 0 and var step
            ?
            [
                FormattableString.Invariant(
                    $"its GPU memory grows by {step / (double)(1 << 20):0.0} MiB a generation, by {steps.Sum() >> 20} MiB in all"
                ),
            ]
            : [];
    }

    /// <summary>How much more device memory each measured generation of a launch left than the one before it.</summary>
    private static IEnumerable<long> GpuSteps(IReadOnlyList<MeasurementLine> launch)
    {
        long[] bytes = [.. launch.OfType<IterationMeasured>().Where(line => !line.IsWarmUp).Select(line => line.GpuBytes).OfType<long>()];
        return bytes.Zip(bytes.Skip(1), (before, after) => after - before);
    }

    private static string[] FallbackOps(IReadOnlyList<LaunchResult> launches) =>
        [
            .. launches
                .SelectMany(launch => launch.Parsed)
                .OfType<IterationMeasured>()
                .SelectMany(iteration => iteration.Result.CpuFallbackOps ?? [])
                .Distinct(),
        ];

    private static IEnumerable<string> FallbackNote(string[] names) =>
        names.Length == 0 ? [] : [$"{names.Length} operators ran on the CPU: {string.Join(", ", names)}"];

    private static string? Versions(EngineDescription? engine) =>
        engine?.Versions is { Count: > 0 } versions ? string.Join(", ", versions.Select(part => $"{part.Key} {part.Value}")) : null;

    private static IReadOnlyList<MeasurementLine> Lines(ExecuteResult result) =>
        [.. result.PrefixedLines.Select(MeasurementLine.Parse).OfType<MeasurementLine>()];

    /// <summary>A sample with what is known of its launch as a whole. A first run is cold only where the launch loaded the model
    /// itself.</summary>
    private static Sample OfLaunch(Sample sample, IReadOnlyList<MeasurementLine> launch)
    {
        double? modelLoadMs = launch.OfType<LaunchStarted>().FirstOrDefault()?.ModelLoadMs;
        return sample with
        {
            ModelLoadMs = modelLoadMs,
            FirstRunMs = modelLoadMs is null ? null : launch.OfType<IterationMeasured>().FirstOrDefault()?.Result.EndToEndMs,
            PeakGpuBytes = launch.OfType<LaunchEnded>().Max(line => line.PeakGpuBytes),
        };
    }

    private static Sample ToSample(
        IterationMeasured iteration,
        PlannedCase planned,
        CaseKey key,
        RunIdentity run,
        RunEnvironment environment,
        int launch,
        int index
    )
    {
        GenerationResult result = iteration.Result;
        double[] latencies = result.InterTokenMs();
        return new Sample
        {
            Run = run,
            Environment = environment,
            Case = key,
            CaseId = planned.CaseId,
            LaunchIndex = launch,
            Iteration = index,
            StartUtc = result.StartUtc,
            PromptTokens = result.PromptTokens,
            NewTokens = result.NewTokens.Length,
            PrefillMs = result.PrefillMs,
            TtftMs = result.TtftMs,
            DecodeMs = result.DecodeMs,
            EndToEndMs = result.EndToEndMs,
            PrefillTps = result.PrefillTps,
            DecodeTps = result.DecodeTps,
            TpotMs = result.TpotMs,
            EndToEndTps = result.EndToEndTps,
            ArticleTps = result.ArticleTps,
            ItlP50Ms = Percentile(latencies, 0.50),
            ItlP90Ms = Percentile(latencies, 0.90),
            ItlP95Ms = Percentile(latencies, 0.95),
            ItlP99Ms = Percentile(latencies, 0.99),
            FirstStepMs = result.FirstStepMs,
            DecodeSteadyTps = result.DecodeSteadyTps,
            DecodeTrimmedTps = result.DecodeTrimmedTps,
            ResetMs = result.ResetMs,
            StoppedAttempts = iteration.StoppedAttempts,
            Conditions = ToConditions(iteration.Conditions),
            PeakRssBytes = iteration.PeakRssBytes,
            ClockDisagreementMs = result.ClockDisagreementMs,
            DraftTokensProposed = result.Drafts?.Proposed,
            DraftAcceptance = result.Drafts is { Proposed: > 0 } drafts ? 100.0 * drafts.Accepted / drafts.Proposed : null,
            OutputSha256 = result.OutputSha256(),
            TokenMs = result.TokenMs,
            Completed = result.NewTokens.Length == planned.Key.MaxLength - result.PromptTokens,
        };
    }

    private static Conditions ToConditions(MachineConditions? told) =>
        told is null
            ? Conditions.Unknown
            : new Conditions
            {
                WatchedMs = told.WatchedMs,
                ForeignCpuPercent = told.ForeignCpuPercent,
                StealPercent = told.StealPercent,
                CpuPressurePercent = told.CpuPressurePercent,
                MemoryPressurePercent = told.MemoryPressurePercent,
                MajorFaults = told.MajorFaults,
                CpuClockPercent = told.CpuClockPercent,
                ThrottleCount = told.ThrottleCount,
                CpuCelsius = told.CpuCelsius,
                Power = told.Power,
                StoppedMs = told.StoppedMs,
                SuspendedMs = told.SuspendedMs,
                ClockSetMs = told.ClockSetMs,
                GpuClockPercent = told.Gpu?.ClockPercent,
                GpuThrottle = told.Gpu?.ThrottleReasons,
                GpuCelsius = told.Gpu?.Celsius,
                GpuWatts = told.Gpu?.Watts,
                GpuForeignPercent = told.Gpu?.ForeignPercent,
            };

    // Hyndman and Fan's type 7, the usual one.
    private static double? Percentile(double[] values, double probability) =>
        values.Length == 0 ? null : SimpleQuantileEstimator.Instance.Quantile(values, probability);

    private static string? WhyBroken(PlannedCase planned, List<Sample> samples) =>
        samples.Find(sample => !sample.Completed) is { } broken
            ? $"{broken.NewTokens} new tokens instead of {planned.Key.MaxLength - broken.PromptTokens}"
            : null;
}
