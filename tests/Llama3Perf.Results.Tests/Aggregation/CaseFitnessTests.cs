using CsCheck;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Aggregation;

public sealed class CaseFitnessTests
{
    private static readonly Conditions s_quiet = new()
    {
        WatchedMs = 1000,
        ForeignCpuPercent = 1,
        StealPercent = 0,
        CpuPressurePercent = 3,
        MemoryPressurePercent = 0,
        MajorFaults = 0,
        CpuClockPercent = 98,
        ThrottleCount = 0,
        CpuCelsius = 61,
        Power = "ac; plan performance",
        StoppedMs = 0,
        SuspendedMs = 0,
        ClockSetMs = 0,
    };

    [Fact]
    public void Nothing_measured_has_no_verdict() => Assert.Equal(Fitness.Unknown, CaseFitness.Of([]));

    [Fact]
    public void A_quiet_machine_is_steady() => Assert.Equal(new Fitness(Steadiness.Steady, null), Verdict(_ => s_quiet));

    [Fact]
    public void A_platform_that_tells_nothing_is_judged_by_the_rates_alone() =>
        Assert.Equal(Steadiness.Steady, Verdict(_ => Conditions.Unknown).Verdict);

    [Fact]
    public void Time_that_others_took_is_weighed_by_what_was_watched()
    {
        // Half of a short iteration is little of the whole.
        Assert.Equal(Steadiness.Steady, Verdict(i => i == 0 ? s_quiet with { WatchedMs = 20, ForeignCpuPercent = 50 } : s_quiet).Verdict);
        Assert.Equal(
            "foreign load: others took 38 % of the processors",
            Verdict(_ => s_quiet with { ForeignCpuPercent = 37, StealPercent = 1 }).Reasons
        );
        Assert.Equal("foreign load: the hypervisor took 20 % of the processors", Verdict(_ => s_quiet with { StealPercent = 20 }).Reasons);
        Assert.Equal("foreign load: others took 30 % of the adapter", Verdict(_ => s_quiet with { GpuForeignPercent = 30 }).Reasons);
    }

    [Theory]
    [InlineData(5, Steadiness.Steady)]
    [InlineData(5.1, Steadiness.Unsteady)]
    public void The_limit_of_foreign_load_is_five_percent(double foreign, Steadiness expected) =>
        Assert.Equal(expected, Verdict(_ => s_quiet with { ForeignCpuPercent = foreign }).Verdict);

    [Theory]
    [InlineData(10, 20, Steadiness.Steady)] // Fifteen iterations of 10 ms: a tick that fell on the wrong side of a reading.
    [InlineData(10, 60, Steadiness.Unsteady)]
    [InlineData(100, 6, Steadiness.Unsteady)]
    public void Ticks_of_the_counters_are_no_load(double watchedMs, double foreign, Steadiness expected) =>
        Assert.Equal(expected, Verdict(_ => s_quiet with { WatchedMs = watchedMs, ForeignCpuPercent = foreign }).Verdict);

    [Fact]
    public void What_one_iteration_has_too_much_the_next_has_too_little() =>
        Assert.Equal(Steadiness.Steady, Verdict(i => s_quiet with { WatchedMs = 100, ForeignCpuPercent = i % 2 == 0 ? 40 : -39 }).Verdict);

    [Fact]
    public void One_stop_one_sleep_one_throttling_is_enough()
    {
        Assert.Equal("stopped for 1.2 s", Verdict(i => i == 4 ? s_quiet with { StoppedMs = 1200 } : s_quiet).Reasons);
        Assert.Equal("the machine slept for 60.0 s", Verdict(i => i == 4 ? s_quiet with { SuspendedMs = 60_000 } : s_quiet).Reasons);
        Assert.Equal(
            "throttled: the processor was slowed 3 times",
            Verdict(i => i == 4 ? s_quiet with { ThrottleCount = 3 } : s_quiet).Reasons
        );
        Assert.Equal(
            "throttled: the adapter was held back (thermal)",
            Verdict(i => i == 4 ? s_quiet with { GpuThrottle = "power-cap+thermal" } : s_quiet).Reasons
        );
    }

    [Fact]
    public void An_adapter_at_its_power_limit_works_as_built() =>
        Assert.Equal(Steadiness.Steady, Verdict(_ => s_quiet with { GpuThrottle = "power-cap" }).Verdict);

    [Fact]
    public void A_clock_that_falls_is_throttling_and_one_that_differs_from_core_to_core_is_not()
    {
        Assert.Equal(
            "throttled: the processor's clock fell by 30 %",
            Verdict(i => s_quiet with { CpuClockPercent = i < 8 ? 100 : 70 }).Reasons
        );
        Assert.Equal(Steadiness.Steady, Verdict(i => s_quiet with { CpuClockPercent = i % 2 == 0 ? 100 : 85 }).Verdict);
    }

    [Fact]
    public void Power_that_changes_and_memory_that_is_short_are_said()
    {
        Assert.Equal("power changed: ac then battery", Verdict(i => s_quiet with { Power = i < 6 ? "ac" : "battery" }).Reasons);
        Assert.Equal("memory pressure 12 % of the time", Verdict(_ => s_quiet with { MemoryPressurePercent = 12 }).Reasons);
    }

    [Theory]
    [InlineData(0.96, null)]
    [InlineData(0.94, "drift -6.0 %")]
    [InlineData(1.07, "drift +7.0 %")]
    public void Rates_that_move_within_launches_drift(double lastThird, string? expected) =>
        Assert.Equal(expected, Verdict(_ => s_quiet, i => i % 5 == 4 ? 100 * lastThird : 100).Reasons);

    [Fact]
    public void Two_modes_are_named() =>
        Assert.Equal(
            "bimodal: decode around 90.1 and 100.1 tok/s",
            Verdict(_ => s_quiet, i => i / 5 == 1 ? 90 + (i % 2 * 0.1) : 100 + (i % 3 * 0.1)).Reasons
        );

    [Fact]
    public void Tokens_that_stall_are_said() =>
        Assert.Equal(
            "stalls: p99 between tokens 8.0 times the median",
            CaseFitness.Of([.. Samples(_ => s_quiet, _ => 100).Select(sample => sample with { ItlP50Ms = 10, ItlP99Ms = 80 })]).Reasons
        );

    // Tokens of a tiny model: an interrupt is no stall.
    [Theory]
    [InlineData(0.1, 0.9, false)]
    [InlineData(0.1, 1.2, true)]
    [InlineData(30, 100, true)]
    [InlineData(30, 60, false)]
    public void A_stall_is_long_and_not_only_long_beside_short_tokens(double p50, double p99, bool isStall)
    {
        Fitness fitness = CaseFitness.Of([
            .. Samples(_ => s_quiet, _ => 100).Select(sample => sample with { ItlP50Ms = p50, ItlP99Ms = p99 }),
        ]);

        Assert.Equal(isStall ? Steadiness.Unsteady : Steadiness.Steady, fitness.Verdict);
    }

    [Fact]
    public void A_block_is_disturbed_by_what_happened_and_not_by_what_the_figures_show()
    {
        Sample[] drifting = [.. Samples(_ => s_quiet, i => 100 + (10 * i))];

        Assert.Equal(Steadiness.Unsteady, CaseFitness.Of(drifting).Verdict);
        Assert.Null(CaseFitness.Disturbance(drifting));
        Assert.Equal(
            "foreign load: others took 40 % of the processors",
            CaseFitness.Disturbance([.. Samples(_ => s_quiet with { ForeignCpuPercent = 40 }, _ => 100)])
        );
    }

    [Fact]
    public void Scatter_of_one_mode_is_hardly_ever_called_two()
    {
        // Nearly normal, 3 % around 100; always the same values.
        Random random = new(1);
        int found = Enumerable
            .Range(0, 1000)
            .Count(_ =>
                CaseFitness.Modes([
                    .. Enumerable.Range(0, 24).Select(_ => 100 + (3 * (Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6))),
                ])
                    is not null
            );

        Assert.InRange(found, 0, 10);
    }

    [Fact]
    public void Order_of_the_samples_does_not_matter() =>
        Gen.Int[0, int.MaxValue]
            .Sample(
                seed =>
                {
                    Sample[] samples = [.. Samples(i => s_quiet with { CpuClockPercent = 100 - i }, i => 100 - i)];
                    Fitness expected = CaseFitness.Of(samples);
                    new Random(seed).Shuffle(samples);
                    Assert.Equal(expected, CaseFitness.Of(samples));
                },
                iter: 20
            );

    private static Fitness Verdict(Func<int, Conditions> conditions, Func<int, double>? rate = null) =>
        CaseFitness.Of([.. Samples(conditions, rate ?? (i => 100 + (i % 4 * 0.5)))]);

    // Three launches of five iterations.
    private static IEnumerable<Sample> Samples(Func<int, Conditions> conditions, Func<int, double> rate) =>
        TestRuns.Fixed().Cases[0].Samples[0] is var any
            ? Enumerable
                .Range(0, 15)
                .Select(i =>
                    any with
                    {
                        LaunchIndex = 1 + (i / 5),
                        Iteration = 1 + (i % 5),
                        StartUtc = any.StartUtc.AddSeconds(i),
                        DecodeTps = rate(i),
                        ItlP50Ms = 10,
                        ItlP99Ms = 11,
                        Conditions = conditions(i),
                    }
                )
            : [];
}
