using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Results;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Conditions;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Harness;

/// <summary>From the lines of measuring processes to the outcome of a case.</summary>
public sealed class OutcomeReaderTests
{
    private static readonly RunIdentity s_run = new(
        "20260131-120000-aaaa",
        new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero),
        "0123abc"
    );

    private static readonly PlannedCase s_planned = PlannedCase.None with
    {
        CaseId = "as-planned",
        Key = new CaseKey
        {
            Engine = "ort",
            Provider = "dml",
            ModelName = "llama-tiny",
            Weights = "synthetic",
            Precision = "int4",
            PromptId = "pp4",
            ChatTemplate = "none",
            PromptTokens = 4,
            MaxLength = 7,
        },
    };

    [Fact]
    public void Warm_up_is_no_sample()
    {
        CaseOutcome outcome = Read(
            [Iteration(100, isWarmUp: true), Iteration(1), Iteration(2)],
            [Iteration(200, isWarmUp: true), Iteration(3), Iteration(4)]
        );

        Assert.Equal((CaseStatus.Ok, null), (outcome.Status, outcome.Error));
        Assert.Equal(
            [(1, 1, 1.0), (1, 2, 2.0), (2, 1, 3.0), (2, 2, 4.0)],
            outcome.Samples.Select(sample => (sample.LaunchIndex, sample.Iteration, sample.TtftMs!.Value))
        );
        Assert.All(outcome.Samples, sample => Assert.True(sample.Completed));
    }

    [Fact]
    public void An_iteration_that_is_missing_fails_the_case()
    {
        CaseOutcome outcome = Read([Iteration(1), Iteration(2)], [Iteration(3)]);

        Assert.Equal((CaseStatus.Failed, "3 of 4 iterations were measured"), (outcome.Status, outcome.Error));
        Assert.Equal(3, outcome.Samples.Count);
    }

    [Fact]
    public void An_iteration_with_too_few_tokens_fails_the_case()
    {
        CaseOutcome outcome = Read([Iteration(1), Iteration(2)], [Iteration(3), Iteration(4, newTokens: 2)]);

        Assert.Equal((CaseStatus.Failed, "2 new tokens instead of 3"), (outcome.Status, outcome.Error));
        Assert.Equal([true, true, true, false], outcome.Samples.Select(sample => sample.Completed));
    }

    [Fact]
    public void A_launch_that_broke_off_fails_the_case_in_its_own_words()
    {
        CaseOutcome outcome = Read([Iteration(1), Iteration(2)], [new LaunchFailed("out of memory")]);

        Assert.Equal((CaseStatus.Failed, "out of memory"), (outcome.Status, outcome.Error));
    }

    [Fact]
    public void What_was_observed_does_not_rename_the_case()
    {
        EngineDescription observed = new("ort", ExecutionProvider.Dml)
        {
            Device = "A GPU",
            Threads = 8,
            Versions = new Dictionary<string, string> { ["peer"] = "fake 1.0" },
        };

        CaseOutcome outcome = Read([new LaunchStarted(5, observed, []), Iteration(1), Iteration(2)], [Iteration(3), Iteration(4)]);

        Assert.Equal("as-planned", outcome.CaseId);
        Assert.Equal(s_planned.Key with { EngineVersions = "peer fake 1.0" }, outcome.Case);
        Assert.All(outcome.Samples, sample => Assert.Equal(("as-planned", outcome.Case), (sample.CaseId, sample.Case)));
    }

    [Fact]
    public void The_first_thing_that_went_wrong_is_the_one_that_is_told()
    {
        LaunchStarted started = new(5, new EngineDescription("ort", ExecutionProvider.Dml), []);

        Assert.Equal("out of memory", ReadPart(1, started, Iteration(1, newTokens: 2), new LaunchFailed("out of memory")).Error);
        Assert.Equal("2 new tokens instead of 3", ReadPart(1, started, Iteration(1, newTokens: 2)).Error);
    }

    [Fact]
    public void A_process_that_could_not_be_built_fails_the_case_whatever_was_measured()
    {
        CaseOutcome outcome = OutcomeReader.Read(
            s_planned,
            Report(
                [
                    [Iteration(1), Iteration(2)],
                ],
                buildError: "Program.cs(1,1): error CS0103: nothing"
            ),
            s_run,
            new RunEnvironment()
        );

        Assert.Equal(CaseStatus.Failed, outcome.Status);
        Assert.StartsWith(
            "BenchmarkDotNet could not build the measuring process: Program.cs(1,1): error CS0103: nothing",
            outcome.Error,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(1, CaseStatus.Ok, null)]
    [InlineData(2, CaseStatus.Interrupted, "1 of 2 launches were measured")]
    [InlineData(null, CaseStatus.Interrupted, "it was measured until it was known well enough, and had 1 launches")]
    public void A_run_that_ended_early_has_a_part_of_its_cases(int? wanted, CaseStatus status, string? error)
    {
        CaseOutcome outcome = ReadPart(wanted, Iteration(1), Iteration(2));

        Assert.Equal((status, error, 2), (outcome.Status, outcome.Error, outcome.Samples.Count));
    }

    [Fact]
    public void A_launch_that_failed_in_a_run_that_ended_early_is_a_failure() =>
        Assert.Equal(
            (CaseStatus.Failed, "out of memory"),
            ReadPart(2, new LaunchFailed("out of memory")) is var outcome ? (outcome.Status, outcome.Error) : default
        );

    [Fact]
    public void What_was_not_measured_says_why()
    {
        CaseOutcome skipped = OutcomeReader.NotMeasured(s_planned with { SkipReason = "no GPU", Failure = "wrong" });
        CaseOutcome failed = OutcomeReader.NotMeasured(s_planned with { Failure = "wrong" });
        CaseOutcome left = OutcomeReader.NotMeasured(s_planned);

        Assert.Equal((CaseStatus.Skipped, "no GPU"), (skipped.Status, skipped.Error));
        Assert.Equal((CaseStatus.Failed, "wrong"), (failed.Status, failed.Error));
        Assert.Equal(CaseStatus.Failed, left.Status);
        Assert.Contains("--verbose", left.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Notes_are_the_engines_the_clocks_and_the_operators_that_fell_back()
    {
        EngineDescription observed = new("external:x", ExecutionProvider.Dml) { Notes = ["dynamic KV cache"] };
        IterationMeasured apart = With(Iteration(2), result => result with { ClockDisagreementMs = 7.25, CpuFallbackOps = ["b", "a"] });
        IterationMeasured closer = With(Iteration(3), result => result with { ClockDisagreementMs = 6, CpuFallbackOps = ["b"] });

        CaseOutcome all = ReadPart(1, new LaunchStarted(5, observed, []), Iteration(1), apart, closer);
        CaseOutcome none = ReadPart(1, new LaunchStarted(5, observed, []), Iteration(1));

        Assert.Equal(
            ["dynamic KV cache", "its clock and ours disagree in 2 of 3 iterations, by up to 7.3 ms", "2 operators ran on the CPU: b, a"],
            all.Notes
        );
        Assert.Equal(["dynamic KV cache"], none.Notes);
        // The column holds the names alone.
        Assert.Equal(("b, a", null), (all.CpuFallbackOps, none.CpuFallbackOps));
        Assert.Empty(ReadPart(1, Iteration(1)).Notes);
    }

    [Theory]
    [InlineData(new long[] { 500, 502, 504, 506 }, "its GPU memory grows by 2.0 MiB a generation, by 6 MiB in all")]
    [InlineData(new long[] { 500, 502, 502, 504, 506 }, "its GPU memory grows by 2.0 MiB a generation, by 6 MiB in all")]
    [InlineData(new long[] { 500, 500, 500, 500 }, null)]
    [InlineData(new long[] { 500, 1012, 1012, 1012 }, null)] // Taken once, for later.
    [InlineData(new long[] { 506, 504, 502, 500 }, null)]
    [InlineData(new long[] { 500, 502, 504 }, null)] // Too few to tell.
    [InlineData(new long[] { }, null)] // The platform tells nothing.
    public void Device_memory_that_grows_with_every_generation_is_noted(long[] mebibytes, string? note)
    {
        MeasurementLine[] lines =
        [
            Iteration(1, isWarmUp: true) with
            {
                GpuBytes = 1,
            },
            .. mebibytes.Select(size => Iteration(1) with { GpuBytes = size << 20 }),
            Iteration(1),
        ];

        Assert.Equal(note is null ? [] : [note], ReadPart(1, lines).Notes);
    }

    [Fact]
    public void Device_memory_is_of_the_generation_before_it_was_asked_for()
    {
        var launch = LaunchRecorder.Begin();
        launch.HoldsGpuBytes(70);

        Assert.Equal((70L, null, 70L), (launch.TakeGpuBytes(), launch.TakeGpuBytes(), launch.PeakGpuBytes));
        launch.HoldsGpuBytes(60);
        Assert.Equal((60L, 70L), (launch.TakeGpuBytes(), launch.PeakGpuBytes));
    }

    [Fact]
    public void What_a_launch_knows_stands_in_each_of_its_samples()
    {
        EngineDescription engine = new("ort", ExecutionProvider.Dml) { Precision = "int4-gptq" };
        CaseOutcome outcome = OutcomeReader.Read(
            s_planned,
            Report([
                [
                    new LaunchStarted(5, engine, [], "high"),
                    Iteration(100, isWarmUp: true),
                    new WarmedUp(110, 1, true),
                    Iteration(1),
                    Iteration(2),
                ],
                [new LaunchStarted(null, engine, []), Iteration(3), new LaunchEnded(1, 60), new LaunchEnded(1, 70), Iteration(4)],
            ]),
            s_run,
            new RunEnvironment()
        );

        // The first run of a launch that found the model loaded was not cold.
        Assert.Equal(
            [(5.0, 102.0, null), (5.0, 102.0, null), (null, null, 70L), (null, null, 70L)],
            outcome.Samples.Select(sample => (sample.ModelLoadMs, sample.FirstRunMs, sample.PeakGpuBytes))
        );
        Assert.Equal([new LaunchWarmUp(110, 1, true)], outcome.WarmUps);
        Assert.Equal(("high", "int4-gptq", null), (outcome.ProcessPriority, outcome.Case.Precision, outcome.Case.EngineVersions));
    }

    [Fact]
    public void Latencies_are_percentiles_and_drafts_a_part_of_those_proposed()
    {
        // Latencies of 1 to 11 ms.
        double[] times = [.. Enumerable.Range(0, 12).Select(i => 5 + (i * (i + 1) / 2.0))];
        Sample sample = Only(
            With(Iteration(5, newTokens: 12), result => result with { TokenMs = times, Drafts = new DraftCounts(Proposed: 8, Accepted: 6) })
        );

        Assert.Equal((6.0, 10.0), (sample.ItlP50Ms!.Value, sample.ItlP90Ms!.Value));
        Assert.Equal((10.5, 10.9), (sample.ItlP95Ms!.Value, Math.Round(sample.ItlP99Ms!.Value, 9)));
        Assert.Equal((8L, 75.0), (sample.DraftTokensProposed, sample.DraftAcceptance));
    }

    [Fact]
    public void What_a_single_token_and_no_proposal_cannot_tell_is_unknown()
    {
        Sample single = Only(With(Iteration(5, newTokens: 1), result => result with { Drafts = new DraftCounts(0, 0) }));

        Assert.Equal((null, null, 0L, null), (single.ItlP50Ms, single.ItlP99Ms, single.DraftTokensProposed, single.DraftAcceptance));
        Assert.Equal(Conditions.Unknown, single.Conditions);
        Assert.Null(Only(Iteration(5)).DraftTokensProposed);
    }

    [Fact]
    public void What_the_machine_was_like_is_told_with_the_sample()
    {
        MachineConditions told = new()
        {
            WatchedMs = 12,
            ForeignCpuPercent = 3,
            Gpu = new GpuConditions { Celsius = 61 },
        };

        Conditions with = Only(Iteration(1) with { Conditions = told }).Conditions;
        Conditions without = Only(Iteration(1) with { Conditions = told with { Gpu = null } }).Conditions;

        Assert.Equal((12.0, 3.0, 61.0), (with.WatchedMs, with.ForeignCpuPercent, with.GpuCelsius));
        Assert.Equal((12.0, null), (without.WatchedMs, without.GpuCelsius));
    }

    [Fact]
    public void Lines_that_are_none_of_a_launch_are_left_out() =>
        Assert.Equal(
            [typeof(IterationMeasured), typeof(LaunchEnded)],
            Assert
                .Single(
                    OutcomeReader.Launches(
                        Report([
                            [Iteration(1)],
                        ])
                    )
                )
                .Select(line => line.GetType())
        );

    private static Sample Only(IterationMeasured iteration) => Assert.Single(ReadPart(1, iteration).Samples);

    private static IterationMeasured With(IterationMeasured iteration, Func<GenerationResult, GenerationResult> change) =>
        iteration with
        {
            Result = change(iteration.Result),
        };

    private static CaseOutcome ReadPart(int? wanted, params MeasurementLine[] lines)
    {
        LaunchResult launch = new(s_planned.CaseId, 1, 0, [.. lines.Append(new LaunchEnded(1, null)).Select(line => line.Format())], []);
        return OutcomeReader.ReadPart(s_planned, [launch], wanted, s_run, new RunEnvironment());
    }

    private static IterationMeasured Iteration(double ttftMs, bool isWarmUp = false, int newTokens = 3) =>
        new(
            isWarmUp,
            new GenerationResult
            {
                StartUtc = s_run.TestTime,
                PromptTokens = 4,
                NewTokens = [.. Enumerable.Range(0, newTokens)],
                TokenMs = [.. Enumerable.Range(0, newTokens).Select(i => ttftMs + i)],
                PrefillMs = ttftMs / 2,
                ResetMs = 0,
            },
            PeakRssBytes: 1000
        );

    private static CaseOutcome Read(params MeasurementLine[][] launches) =>
        OutcomeReader.Read(s_planned, Report(launches), s_run, new RunEnvironment());

    private static BenchmarkReport Report(MeasurementLine[][] launches, string? buildError = null)
    {
        BenchmarkCase benchmark = BenchmarkConverter
            .TypeToBenchmarks(
                typeof(Nothing),
                ManualConfig.CreateEmpty().AddJob(Job.Default.WithLaunchCount(launches.Length).WithIterationCount(2))
            )
            .BenchmarksCases[0];
        var generated = GenerateResult.Success(ArtifactsPaths.Empty, []);
        return new BenchmarkReport(
            true,
            benchmark,
            generated,
            buildError is null ? BuildResult.Success(generated) : BuildResult.Failure(generated, buildError),
            [
                .. launches.Select(
                    (lines, index) =>
                        new ExecuteResult(
                            true,
                            0,
                            1,
                            [],
                            ["// something else", .. lines.Append(new LaunchEnded(1, null)).Select(line => line.Format())],
                            [],
                            index + 1
                        )
                ),
            ],
            []
        );
    }

    /// <summary>A benchmark that nobody runs.</summary>
    public class Nothing
    {
        [Benchmark]
        public void Run() { }
    }
}
