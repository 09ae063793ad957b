using BenchmarkDotNet.Loggers;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Harness;

[Collection(nameof(CliSession))]
public sealed class ProgressDisplayTests
{
    [Fact]
    public void A_launch_is_said_with_its_case_of_how_many_and_its_number()
    {
        Assert.SkipUnless(Console.IsOutputRedirected, "a terminal gets the live line instead");
        PlannedCase[] cases = [Case("int4"), Case("int8")];
        IReadOnlyList<string> lines = CliSession.Lines(() =>
        {
            using ProgressDisplay display = new(new SuiteOptions { Launches = 3 }, new SuitePlan(cases, []));
            Measure(display, cases[1], launch: 1);
            Measure(display, cases[0], launch: 1);
            Measure(display, cases[1], launch: 2);
        });

        Assert.Equal(
            [
                "[case 2 of 2, launch 1 of 3] int8 1000 tok/s",
                "[case 1 of 2, launch 1 of 3] int4 1000 tok/s",
                "[case 2 of 2, launch 2 of 3] int8 1000 tok/s",
            ],
            lines
        );
    }

    private static void Measure(ProgressDisplay display, PlannedCase planned, int launch)
    {
        GenerationResult result = new()
        {
            StartUtc = DateTimeOffset.UnixEpoch,
            PromptTokens = 4,
            NewTokens = [7, 8, 9],
            TokenMs = [1, 2, 3],
            PrefillMs = 0.9,
            ResetMs = 0.1,
        };
        display.BeginLaunch(planned, launch);
        display.WriteLine(LogKind.Default, new IterationMeasured(IsWarmUp: false, result, PeakRssBytes: null).Format());
        display.WriteLine(LogKind.Default, new LaunchEnded(null, null).Format());
    }

    private static PlannedCase Case(string precision) =>
        PlannedCase.None with
        {
            CaseId = precision,
            Key = new CaseKey
            {
                Engine = "ort",
                Provider = "cpu",
                ModelName = "llama-tiny",
                Weights = "synthetic",
                Precision = precision,
                PromptId = "pp4",
                PromptTokens = 4,
                ChatTemplate = "none",
                MaxLength = 7,
            },
        };
}
