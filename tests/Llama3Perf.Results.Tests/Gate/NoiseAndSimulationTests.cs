using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Comparison;
using Llama3Perf.Results.Tests.Files;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Gate;

public sealed class NoiseAndSimulationTests
{
    [Fact]
    public void The_noise_that_was_put_in_is_found()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("a", launches: 200, iterations: 10, sd: 0.02)], new NoiseOptions());
        Assert.Equal(2, noise.Entries.Count);
        Assert.All(noise.Entries, entry =>
        {
            Assert.Equal(0.02, entry.BetweenSd, 0.003);
            Assert.Equal(0.02, entry.WithinSd, 0.001);
            Assert.Equal(200, entry.Launches);
        });
    }

    [Fact]
    public void Launches_of_several_runs_count_together()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("a"), Run("b"), Run("c")], new NoiseOptions { Metrics = ["decode_tps"] });
        Assert.Equal(9, Assert.Single(noise.Entries).Launches);
        Assert.Equal(["a", "b", "c"], noise.RunIds);
    }

    [Fact]
    public void Noise_is_not_measured_over_a_difference_or_from_too_little()
    {
        Refused("build_commit", Run("a"), Run("b").Built("feed"));
        Refused("twice", Run("a"), Run("a"));
        Refused("two launches", Run("a", launches: 1));
        Refused("two launches", Run("a", iterations: 1));
        Assert.Throws<ArgumentException>(() => NoiseRecord.Measure([Run("a")], new NoiseOptions { Launches = 0 }));

        static void Refused(string because, params Run[] runs) =>
            Assert.Contains(because, Assert.Throws<RunFileException>(() => NoiseRecord.Measure(runs, new NoiseOptions())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_is_read_back_as_it_was_written()
    {
        using TestFolder folder = new();
        NoiseRecord written = NoiseRecord.Measure([Run("a")], new NoiseOptions());
        written.Write(folder.File("noise.json"));
        NoiseRecord read = NoiseRecord.Read(folder.File("noise.json"));
        Assert.Equal(written.RunIds, read.RunIds);
        Assert.Equal(written.Entries.Select(entry => entry with { Keys = read.Entries[0].Keys }), read.Entries.Select(entry => entry with { Keys = read.Entries[0].Keys }));
        Assert.Equal(written.Entries[0].Keys, read.Entries[0].Keys);
        Assert.Equal(2, read.ToTable().Rows.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"schema_version\":1,\"run_ids\":[],\"entries\":null}")]
    [InlineData("{\"schema_version\":2,\"run_ids\":[],\"entries\":[]}")]
    [InlineData("{\"schema_version\":1,\"run_ids\":[],\"entries\":[],\"extra\":1}")]
    public void A_record_that_is_none_is_refused_with_its_name(string text)
    {
        using TestFolder folder = new();
        File.WriteAllText(folder.File("noise.json"), text);
        string message = Assert.Throws<RunFileException>(() => NoiseRecord.Read(folder.File("noise.json"))).Message;
        Assert.StartsWith(folder.File("noise.json"), message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Throws<RunFileException>(() => NoiseRecord.Read(folder.File("none.json")));
    }

    [Fact]
    public void Impossible_numbers_in_a_record_are_refused()
    {
        using TestFolder folder = new();
        NoiseRecord noise = NoiseRecord.Measure([Run("a")], new NoiseOptions());
        foreach (NoiseEntry bad in new[] { noise.Entries[0] with { BetweenSd = -1 }, noise.Entries[0] with { Launches = 1 }, noise.Entries[0] with { Metric = "speed" } })
        {
            (noise with { Entries = [bad] }).Write(folder.File("noise.json"));
            Assert.Contains("cannot be", Assert.Throws<RunFileException>(() => NoiseRecord.Read(folder.File("noise.json"))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_gate_warns_of_a_threshold_below_the_floor_of_its_machine()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("a", launches: 10, sd: 0.03)], new NoiseOptions());
        Run baseline = Run("b");
        Assert.Contains("below the noise floor", GateReport.Text(RegressionGate.Judge([baseline], Run("c"), new GateOptions { Noise = noise })), StringComparison.Ordinal);
        Assert.DoesNotContain("noise floor", GateReport.Text(RegressionGate.Judge([baseline], Run("c"), new GateOptions { Noise = noise, Threshold = 0.3 })), StringComparison.Ordinal);

        Run[] elsewhere = [.. new[] { baseline, Run("c") }.Select(run => run.In(e => e with { MachineId = "other" }))];
        Assert.DoesNotContain("noise floor", GateReport.Text(RegressionGate.Judge([elsewhere[0]], elsewhere[1], new GateOptions { Noise = noise })), StringComparison.Ordinal);
    }

    [Fact]
    public void The_shipped_rule_keeps_its_promise()
    {
        SimulationOptions machine = new() { Trials = 4000 };
        Assert.InRange(GateSimulation.Run(machine).RedRate, 0, 0.005);
        Assert.InRange(GateSimulation.Run(machine with { Loss = 0.10 }).RedRate, 0.99, 1);
        SimulationResult seven = GateSimulation.Run(machine with { Loss = 0.07 });
        Assert.InRange(seven.RedRate, 0.90, 1);
        Assert.InRange(seven.ConfirmedRate, 0.85, seven.RedRate);
    }

    [Fact]
    public void More_launches_beat_more_iterations_when_launches_differ()
    {
        SimulationOptions machine = new() { Trials = 4000, BetweenSd = 0.02, Threshold = 0.03 };
        double oneLaunch = GateSimulation.Run(machine with { Launches = 1, Iterations = 15 }).RedRate;
        double threeLaunches = GateSimulation.Run(machine).RedRate;
        Assert.InRange(oneLaunch, 0.10, 0.20);
        Assert.InRange(threeLaunches, 0.01, 0.06);
    }

    [Fact]
    public void A_simulation_repeats_itself() =>
        Assert.Equal(GateSimulation.Run(new SimulationOptions { Trials = 1200, Loss = 0.06 }), GateSimulation.Run(new SimulationOptions { Trials = 1200, Loss = 0.06 }));

    [Fact]
    public void The_smallest_regression_is_found_as_often_as_the_record_says()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("a", launches: 300, iterations: 10, sd: 0.01)], new NoiseOptions { Metrics = ["decode_tps"] });
        NoiseEntry entry = Assert.Single(noise.Entries);
        SimulationOptions machine = new() { Trials = 4000, BetweenSd = entry.BetweenSd, WithinSd = entry.WithinSd };
        Assert.InRange(GateSimulation.Run(machine with { Loss = entry.SmallestRegression!.Value }).RedRate, 0.93, 0.97);

        // The floor is the threshold with one false alarm in 200.
        Assert.InRange(GateSimulation.Run(machine with { Trials = 20_000, Threshold = entry.NoiseFloor }).RedRate, 0.002, 0.008);
    }

    [Fact]
    public void A_gate_with_too_few_samples_finds_no_regression() =>
        Assert.Null(NoiseRecord.Measure([Run("a")], new NoiseOptions { Launches = 1, Iterations = 4 }).Entries[0].SmallestRegression);
}
