using Llama3Perf.Inference.Conditions;

namespace Llama3Perf.Inference.Tests.Conditions;

public sealed class ConditionsWatchTests
{
    [Fact]
    public void A_process_that_beats_in_time_never_stood_still()
    {
        GapCounter gaps = new(periodMs: 50, nowMs: 0, cpuMs: 0);
        for (int i = 1; i <= 20; i++)
        {
            gaps.Beat(i * 55, 0);
        }

        Assert.Equal(0, gaps.StoppedMs);
    }

    [Fact]
    public void A_second_without_a_beat_and_without_processor_time_is_a_stop()
    {
        GapCounter gaps = new(50, 0, 0);
        gaps.Beat(50, 90);
        gaps.Beat(1100, 91);
        gaps.Beat(1150, 180);

        Assert.Equal(1000, gaps.StoppedMs);
    }

    [Fact]
    public void What_many_threads_computed_before_the_stop_does_not_hide_it()
    {
        GapCounter gaps = new(50, 0, 0);
        gaps.Beat(50, 800);
        gaps.Beat(1100, 1600);

        Assert.Equal(1000, gaps.StoppedMs);
    }

    [Fact]
    public void Many_threads_that_compute_on_are_no_stop()
    {
        GapCounter gaps = new(50, 0, 0);
        gaps.Beat(50, 800);
        gaps.Beat(1100, 800 + (1050 * 4));

        Assert.Equal(0, gaps.StoppedMs);
    }

    [Fact]
    public void A_beat_that_is_late_because_the_process_computes_is_none()
    {
        GapCounter gaps = new(50, 0, 0);
        gaps.Beat(700, 600);

        Assert.Equal(0, gaps.StoppedMs);
    }

    [Fact]
    public void Foreign_load_counts_processors_and_is_quiet_below_its_limit()
    {
        ForeignLoad busy = ForeignLoad.Of(new MachineConditions { ForeignCpuPercent = 80, StealPercent = 5 }, 2)!;
        ForeignLoad quiet = ForeignLoad.Of(new MachineConditions { ForeignCpuPercent = 5 }, 16)!;

        Assert.Equal(("other processes use 1.7 of 2 cores", false), (busy.ToString(), busy.IsQuiet));
        Assert.True(quiet.IsQuiet);
        Assert.Null(ForeignLoad.Of(new MachineConditions(), 2));
    }

    [Fact]
    public void A_running_watch_knows_this_machine()
    {
        using ConditionsWatch watch = new();
        watch.Begin();
        MachineConditions conditions = watch.End();

        Assert.True(conditions.WatchedMs > 0);
        Assert.NotNull(conditions.StoppedMs);
        Assert.InRange(conditions.ForeignCpuPercent ?? 0, -100, 100);
        Assert.InRange(watch.ProcessorCount ?? 1, 1, int.MaxValue);
    }

    [Fact]
    public void Reasons_of_an_adapter_are_named_and_idleness_is_none()
    {
        Assert.Equal("", Nvml.Names(0x1));
        Assert.Equal("power-cap+thermal", Nvml.Names(0x1 | 0x4 | 0x20));
    }

    [Fact]
    public void Others_on_an_adapter_count_only_where_we_know_which_is_us()
    {
        Assert.Equal(25, Nvml.Foreign([(7, 90), (8, 20), (8, 30)], ownId: 7));
        Assert.Null(Nvml.Foreign([(8, 20), (9, 30)], ownId: 7));
    }
}
