using Llama3Perf.Inference.Conditions;

namespace Llama3Perf.Inference.Tests.Conditions;

/// <summary>Files as a laptop with sensors has them, one after the other while something happens to it.</summary>
public sealed class LinuxCountersTests : IDisposable
{
    private const int Own = 100;

    private readonly string _root = Directory.CreateTempSubdirectory("llama3perf-counters-").FullName;

    public LinuxCountersTests()
    {
        Write("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-1\n");
        Write("proc/uptime", "1000.00 500.00\n");
        Processors(user: 1000, idle: 1000, steal: 0);
        Process(Own, parent: 1, ticks: 500);
        Write("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n");
        Write("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void What_others_took_is_all_busy_time_without_our_own()
    {
        LinuxCounters counters = Counters();
        MachineReading before = counters.Read(0, 0, ownCpuMs: 5000);
        // Two processors for a second: 2000 ms, of which 1500 busy, 900 of them ours, and 100 stolen.
        Processors(user: 1000 + 75, idle: 1000 + 20, steal: 5);
        Write("proc/uptime", "1001.00 500.40\n");
        Write("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1250000\n");
        MachineConditions conditions = counters.Read(1000, 1000, ownCpuMs: 5900).Since(before, 0);

        Assert.Equal(30, conditions.ForeignCpuPercent!.Value, 6);
        Assert.Equal(5, conditions.StealPercent!.Value, 6);
        Assert.Equal(25, conditions.CpuPressurePercent!.Value, 6);
        Assert.Equal(0, conditions.MemoryPressurePercent);
        Assert.Equal(0, conditions.SuspendedMs);
        Assert.Equal(0, conditions.ClockSetMs);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 45)]
    public void Programs_that_measure_for_us_are_not_foreign(bool withChildren, double expected)
    {
        Process(201, parent: Own, ticks: 0);
        Process(202, parent: 201, ticks: 0);
        LinuxCounters counters = Counters(withChildren);
        MachineReading before = counters.Read(0, 0, 0);
        Processors(user: 1000 + 45, idle: 1000 + 55, steal: 0);
        Process(201, parent: Own, ticks: 10);
        Process(202, parent: 201, ticks: 80);

        Assert.Equal(expected, counters.Read(1000, 1000, 0).Since(before, 0).ForeignCpuPercent!.Value, 6);
    }

    [Fact]
    public void Sleep_of_the_machine_and_a_wall_clock_that_was_set_are_told_apart()
    {
        LinuxCounters counters = Counters();
        MachineReading before = counters.Read(0, 0, 0);
        Write("proc/uptime", "1004.00 500.00\n");
        MachineConditions slept = counters.Read(1000, 4000, 0).Since(before, 0);
        MachineConditions set = counters.Read(4000, 4000 + 3_600_000, 0).Since(before, 0);

        Assert.Equal((3000, 0), (slept.SuspendedMs, slept.ClockSetMs));
        Assert.Equal((0, 3_600_000), (set.SuspendedMs, set.ClockSetMs));
    }

    [Fact]
    public void Clocks_throttling_temperature_and_power_are_read_where_the_machine_has_them()
    {
        foreach (int processor in new[] { 0, 1 })
        {
            string folder = $"sys/devices/system/cpu/cpu{processor}";
            Write($"{folder}/cpufreq/scaling_cur_freq", processor == 0 ? "1200000\n" : "3600000\n");
            Write($"{folder}/cpufreq/cpuinfo_max_freq", "4800000\n");
            Write($"{folder}/cpufreq/scaling_governor", "powersave\n");
            Write($"{folder}/thermal_throttle/core_throttle_count", "10\n");
            Write($"{folder}/thermal_throttle/package_throttle_count", "7\n");
        }

        Write("sys/class/hwmon/hwmon0/name", "nvme\n");
        Write("sys/class/hwmon/hwmon0/temp1_input", "99000\n");
        Write("sys/class/hwmon/hwmon1/name", "coretemp\n");
        Write("sys/class/hwmon/hwmon1/temp1_input", "61000\n");
        Write("sys/class/hwmon/hwmon1/temp2_input", "64500\n");
        LinuxCounters counters = Counters();
        MachineReading before = counters.Read(0, 0, 0);
        Write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "12\n");
        MachineConditions conditions = counters.Read(1000, 1000, 0).Since(before, 0);

        Assert.Equal(75, conditions.CpuClockPercent);
        Assert.Equal(2, conditions.ThrottleCount);
        Assert.Equal(64.5, conditions.CpuCelsius);
        Assert.Equal("plan powersave", conditions.Power);
    }

    [Fact]
    public void A_machine_that_tells_nothing_leaves_all_unknown()
    {
        LinuxCounters counters = new(Path.Combine(_root, "nothing"), Own, withChildren: true);
        MachineConditions conditions = counters.Read(1000, 0, 0).Since(counters.Read(0, 0, 0), stoppedMs: null);

        Assert.Equal(new MachineConditions { WatchedMs = 1000 }, conditions);
    }

    private LinuxCounters Counters(bool withChildren = false) => new(_root, Own, withChildren);

    // Halves on each of the two processors.
    private void Processors(int user, int idle, int steal) =>
        Write(
            "proc/stat",
            FormattableString.Invariant(
                $"""
                cpu  0 0 0 0 0 0 0 0 0 0
                cpu0 {user} 0 0 {idle} 0 0 0 {steal} 0 0
                cpu1 {user} 0 0 {idle} 0 0 0 {steal} 0 0
                """
            )
        );

    private void Process(int id, int parent, int ticks) =>
        Write($"proc/{id}/stat", $"{id} (x) R {parent} 1 1 0 -1 4194304 9 0 3 0 {ticks} 0 0 0 20 0 1 0 9 9 9\n");

    private void Write(string path, string text)
    {
        string file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
