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
    public void A_provider_that_fell_back_to_the_CPU_fails_the_case()
    {
        EngineDescription observed = new("ort", ExecutionProvider.Dml) { PlacementWarning = "3 nodes on the CPU" };

        Assert.Equal(
            (CaseStatus.Failed, "3 nodes on the CPU"),
            Read([new LaunchStarted(5, observed, []), Iteration(1), Iteration(2)], [Iteration(3), Iteration(4)]) is var outcome
                ? (outcome.Status, outcome.Error)
                : default
        );
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

    private static CaseOutcome Read(params MeasurementLine[][] launches)
    {
        BenchmarkCase benchmark = BenchmarkConverter
            .TypeToBenchmarks(
                typeof(Nothing),
                ManualConfig.CreateEmpty().AddJob(Job.Default.WithLaunchCount(launches.Length).WithIterationCount(2))
            )
            .BenchmarksCases[0];
        var generated = GenerateResult.Success(ArtifactsPaths.Empty, []);
        BenchmarkReport report = new(
            true,
            benchmark,
            generated,
            BuildResult.Success(generated),
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
        return OutcomeReader.Read(s_planned, report, s_run, new RunEnvironment());
    }

    /// <summary>A benchmark that nobody runs.</summary>
    public class Nothing
    {
        [Benchmark]
        public void Run() { }
    }
}
