using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Harness;

public sealed class TimeEstimateTests
{
    private static readonly SuiteOptions s_options = new()
    {
        Launches = 3,
        Warmups = 1,
        Iterations = 5,
    };

    // Bytes a second, seconds a token and parameter, and seconds of a start: a machine that behaves as machines do.
    private const double Bandwidth = 12e9;
    private const double EachParameter = 1.5e-11;
    private const double Start = 0.8;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void After_any_first_case_the_time_left_is_right_within_a_quarter(int first)
    {
        PlannedCase[] cases =
        [
            Case("int4", 6, 143, 90e6),
            Case("int4", 512, 640, 90e6),
            Case("int8", 6, 143, 170e6),
            Case("int8", 512, 640, 170e6),
        ];
        TimeEstimate estimate = new(cases, s_options);
        Measure(estimate, cases[first]);

        double left = cases.Where((_, i) => i != first).Sum(Seconds) * s_options.Launches;
        Assert.InRange(estimate.Left(id => id == cases[first].CaseId ? 3 : 0) / left, 0.75, 1.25);
    }

    [Fact]
    public void Long_cases_after_a_short_one_are_foreseen()
    {
        PlannedCase tiny = Case("int4", 8, 24, 90e6);
        PlannedCase longest = Case("int4", 8, 2056, 90e6);
        TimeEstimate estimate = new([tiny, longest], s_options);
        Measure(estimate, tiny);

        Assert.InRange(estimate.Left(id => id == tiny.CaseId ? 3 : 0) / (Seconds(longest) * 3), 0.75, 1.25);
    }

    [Fact]
    public void A_case_that_is_measured_is_known_and_what_is_done_takes_no_time()
    {
        PlannedCase[] cases = [Case("int4", 6, 143, 90e6), Case("int8", 6, 143, 170e6)];
        TimeEstimate estimate = new(cases, s_options);
        Assert.False(estimate.IsMeasured);
        Assert.InRange(estimate.Left(_ => 0), 1, 600);

        Measure(estimate, cases[0]);
        Assert.True(estimate.IsMeasured);
        Assert.Equal(Seconds(cases[0]), estimate.Launch(cases[0]), 3);
        Assert.Equal(0, estimate.Left(_ => 3));
    }

    [Fact]
    public void A_gpu_is_not_guessed_as_a_cpu()
    {
        PlannedCase onCpu = Case("int4", 512, 640, 900e6);
        PlannedCase onGpu = onCpu with { CaseId = "gpu", Key = onCpu.Key with { Provider = "cuda" } };
        TimeEstimate estimate = new([onCpu, onGpu], s_options);

        Assert.True(estimate.Launch(onGpu) < estimate.Launch(onCpu) / 4);
    }

    private static PlannedCase Case(string precision, int prompt, int length, double bytes) =>
        PlannedCase.None with
        {
            CaseId = $"{precision}/{prompt}/{length}",
            Key = new CaseKey
            {
                Engine = "ort",
                Provider = "cpu",
                ModelName = "llama-125m",
                Weights = "synthetic",
                HiddenSize = 768,
                LayerCount = 12,
                VocabularySize = 128256,
                Precision = precision,
                PromptId = $"pp{prompt}",
                PromptTokens = prompt,
                ChatTemplate = "none",
                MaxLength = length,
                Threads = 2,
            },
            EngineOptions = new EngineOptions(),
            WeightBytesPerToken = (long)bytes,
        };

    private static double Ttft(PlannedCase planned) =>
        (planned.WeightBytesPerToken!.Value / Bandwidth)
        + (planned.Key.PromptTokens!.Value * EachParameter * ((12.0 * 12 * 768 * 768) + (768.0 * 128256)));

    private static double Decode(PlannedCase planned) =>
        (planned.Key.MaxLength - planned.Key.PromptTokens!.Value - 1) * planned.WeightBytesPerToken!.Value / Bandwidth;

    private static double Seconds(PlannedCase planned) => Start + (7 * (Ttft(planned) + Decode(planned)));

    private static void Measure(TimeEstimate estimate, PlannedCase planned)
    {
        double generation = (Ttft(planned) + Decode(planned)) * 1000;
        for (int launch = 0; launch < s_options.Launches; launch++)
        {
            for (int i = 0; i < s_options.Iterations; i++)
            {
                estimate.AddGeneration(planned.CaseId, Ttft(planned) * 1000, Decode(planned) * 1000);
            }

            // Two generations warm up.
            estimate.AddLaunch(planned.CaseId, Seconds(planned), 2 * generation, 5 * generation);
        }
    }
}
