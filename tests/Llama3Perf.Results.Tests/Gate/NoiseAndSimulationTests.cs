using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;
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
        Assert.All(
            noise.Entries,
            entry =>
            {
                // The median of ten iterations adds some 1.39 / 10 of their variance.
                Assert.Equal(0.02 * Math.Sqrt(1.139), entry.LaunchSd, 0.003);
                Assert.Equal(0.02, entry.WithinSd, 0.001);
                Assert.Equal((200, 10), (entry.Launches, entry.Iterations));
            }
        );
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
        Assert.Throws<OptionException>(() => NoiseRecord.Measure([Run("a")], new NoiseOptions { Launches = 0 }));

        static void Refused(string because, params Run[] runs) =>
            Assert.Contains(
                because,
                Assert.Throws<RunFileException>(() => NoiseRecord.Measure(runs, new NoiseOptions())).Message,
                StringComparison.Ordinal
            );
    }

    [Fact]
    public void A_record_is_read_back_as_it_was_written()
    {
        using TestFolder folder = new();
        NoiseRecord written = NoiseRecord.Measure([Run("a")], new NoiseOptions());
        written.Write(folder.File("noise.json"));
        NoiseRecord read = NoiseRecord.Read(folder.File("noise.json"));
        Assert.Equal(written.RunIds, read.RunIds);
        Assert.Equal(
            written.Entries.Select(entry => entry with { Keys = read.Entries[0].Keys }),
            read.Entries.Select(entry => entry with { Keys = read.Entries[0].Keys })
        );
        Assert.Equal(written.Entries[0].Keys, read.Entries[0].Keys);
        Assert.Equal(2, read.ToTable().Rows.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"schema_version\":1,\"run_ids\":[],\"entries\":null}")]
    [InlineData("{\"schema_version\":1,\"run_ids\":[],\"entries\":[]}")]
    [InlineData("{\"schema_version\":2,\"run_ids\":[],\"entries\":[null]}")]
    [InlineData("{\"schema_version\":2,\"run_ids\":[],\"entries\":[],\"extra\":1}")]
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
        foreach (
            NoiseEntry bad in new[]
            {
                noise.Entries[0] with
                {
                    LaunchSd = -1,
                },
                noise.Entries[0] with
                {
                    Iterations = 0,
                },
                noise.Entries[0] with
                {
                    Launches = 1,
                },
                noise.Entries[0] with
                {
                    Metric = "speed",
                },
            }
        )
        {
            (noise with { Entries = [bad] }).Write(folder.File("noise.json"));
            Assert.Contains(
                "cannot be",
                Assert.Throws<RunFileException>(() => NoiseRecord.Read(folder.File("noise.json"))).Message,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void The_gate_warns_of_a_threshold_below_the_floor_of_its_machine()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("a", launches: 10, sd: 0.03)], new NoiseOptions());
        Run baseline = Run("b");
        Assert.Contains(
            "below the noise floor",
            GateReport.Text(RegressionGate.Judge([baseline], Run("c"), new GateOptions { Noise = noise })),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            "noise floor",
            GateReport.Text(RegressionGate.Judge([baseline], Run("c"), new GateOptions { Noise = noise, Threshold = 0.5 })),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_noise_record_of_another_machine_makes_the_gate_incomparable()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("a")], new NoiseOptions());
        Run[] elsewhere = [.. new[] { Run("b"), Run("c") }.Select(run => run.In(e => e with { MachineId = "other" }))];
        GateVerdict verdict = RegressionGate.Judge([elsewhere[0]], elsewhere[1], new GateOptions { Noise = noise });
        Assert.Equal(GateExitCode.Incomparable, verdict.ExitCode);
        Assert.Contains("the noise record is of machine", Assert.Single(verdict.Findings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_case_that_the_record_does_not_know_is_said_and_judged_by_its_own_launches()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("a", [Case with { MaxLength = 700 }])], new NoiseOptions());
        GateVerdict verdict = RegressionGate.Judge([Run("b")], Run("c"), new GateOptions { Noise = noise });
        Assert.Equal(GateExitCode.Pass, verdict.ExitCode);
        Assert.Equal(2, verdict.Findings.Count(finding => finding.Message.Contains("does not know this case", StringComparison.Ordinal)));
        Assert.Equal(
            GateExitCode.Inconclusive,
            RegressionGate.Judge([Run("b", launches: 1)], Run("c", launches: 1), new GateOptions { Noise = noise }).ExitCode
        );
    }

    [Fact]
    public void A_verdict_by_the_record_says_so()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("a", launches: 12)], new NoiseOptions());
        GateVerdict verdict = RegressionGate.Judge([Run("b", launches: 1)], Run("c", launches: 1), new GateOptions { Noise = noise });
        Assert.Equal(GateExitCode.Pass, verdict.ExitCode);
        Assert.Contains("pass, with the spread of the noise record", GateReport.Text(verdict), StringComparison.Ordinal);
        Assert.Contains("\"spread\": \"noise record\"", GateReport.Json(verdict), StringComparison.Ordinal);
        Assert.DoesNotContain(
            "spread of the noise record",
            GateReport.Text(RegressionGate.Judge([Run("b")], Run("c"), new GateOptions { Noise = noise })),
            StringComparison.Ordinal
        );
    }

    // At every spread: no more false alarms than alpha, and no more passes of a true loss of the threshold. 10,000 trials: 1 % ± 0.1 %.
    [Theory]
    [InlineData(3, 5, 0)]
    [InlineData(3, 5, 0.02)]
    [InlineData(3, 5, 0.10)]
    [InlineData(5, 5, 0.01)]
    [InlineData(5, 5, 0.05)]
    [InlineData(10, 3, 0.02)]
    [InlineData(10, 3, 0.10)]
    public void The_shipped_rule_keeps_its_promise(int launches, int iterations, double between)
    {
        foreach (double within in new[] { 0.01, 0.05 })
        {
            SimulationOptions machine = new()
            {
                Launches = launches,
                Iterations = iterations,
                BetweenSd = between,
                WithinSd = within,
                Trials = 10_000,
            };
            Assert.InRange(GateSimulation.Run(machine).Red, 0, 0.0125);
            Assert.InRange(GateSimulation.Run(machine with { Loss = machine.Threshold }).Passed, 0, 0.0125);
        }
    }

    [Fact]
    public void What_is_there_is_found_and_what_is_not_passes()
    {
        SimulationOptions machine = new() { Launches = 5, Trials = 4000 };
        Assert.InRange(GateSimulation.Run(machine).Passed, 0.99, 1);
        Assert.InRange(GateSimulation.Run(machine with { Loss = 0.10 }).Red, 0.99, 1);
    }

    [Fact]
    public void One_launch_never_decides_and_a_record_lets_it()
    {
        SimulationOptions machine = new()
        {
            Launches = 1,
            Iterations = 100,
            BetweenSd = 0.005,
            WithinSd = 0.005,
            Trials = 500,
        };
        Assert.Equal(new SimulationResult(0, 0, 1), GateSimulation.Run(machine));
        Assert.InRange(GateSimulation.Run(machine with { RecordedLaunches = 20 }).Passed, 0.9, 1);
    }

    [Fact]
    public void A_simulation_repeats_itself() =>
        Assert.Equal(
            GateSimulation.Run(new SimulationOptions { Trials = 1200, Loss = 0.06 }),
            GateSimulation.Run(new SimulationOptions { Trials = 1200, Loss = 0.06 })
        );

    [Theory]
    [InlineData(3, 5)]
    [InlineData(5, 5)]
    [InlineData(10, 3)]
    public void The_floor_and_the_smallest_regression_are_what_the_record_says(int launches, int iterations)
    {
        NoiseOptions gate = new()
        {
            Metrics = ["decode_tps"],
            Launches = launches,
            Iterations = iterations,
        };
        NoiseEntry entry = Assert.Single(NoiseRecord.Measure([Run("a", launches: 400, iterations: iterations, sd: 0.01)], gate).Entries);
        SimulationOptions machine = new()
        {
            Launches = launches,
            Iterations = 1,
            BetweenSd = entry.LaunchSd,
            WithinSd = 0,
            Trials = 4000,
        };
        Assert.InRange(GateSimulation.Run(machine with { Loss = entry.SmallestRegression }).Red, 0.92, 0.98);
        Assert.InRange(GateSimulation.Run(machine with { Threshold = entry.NoiseFloor }).Passed, 0.90, 0.98);
    }

    [Fact]
    public void A_grid_has_a_row_for_each_machine_and_says_how_far_it_is()
    {
        List<(int, int)> progress = [];
        SimulationGrid grid = new()
        {
            Designs = [(3, 5), (1, 5)],
            BetweenSds = [0, 0.10],
            WithinSds = [0.01],
            Options = new SimulationOptions { Trials = 200 },
        };
        TextTable table = grid.Run((done, all) => progress.Add((done, all)));
        Assert.Equal([(1, 4), (2, 4), (3, 4), (4, 4)], progress);
        Assert.Equal(["3 x 5", "0 %", "1 %", "0.00 %"], table.Rows[0].Take(4));
        Assert.Equal(["1 x 5", "10 %", "1 %", "0.00 %", "0.00 %", "100.00 %", "0.00 %", "100.00 %", "0.00 %", "100.00 %"], table.Rows[3]);
        Assert.Throws<OptionException>(() => (grid with { Designs = [(0, 5)] }).Run());
        Assert.All(table.Columns, column => Assert.True(column.IsNumber));
        Assert.Equal(("lost 5 %: pass", "lost 10 %: red"), (table.Columns[6].Header, table.Columns[8].Header));

        // On a quiet machine what is there is found; a loss of exactly the threshold is neither.
        IReadOnlyList<string> quiet = (grid with { Designs = [(10, 3)], BetweenSds = [0.001] }).Run().Rows[0];
        Assert.Equal(["0.00 %", "100.00 %", "0.00 %"], quiet.Skip(3).Take(3));
        Assert.Equal(["100.00 %", "0.00 %"], quiet.Skip(8));
    }

    [Fact]
    public void Noise_is_normal_and_the_same_in_every_process()
    {
        NormalNoise noise = new(1);
        double[] numbers = [.. Enumerable.Range(0, 10_000).Select(_ => noise.Next())];
        Assert.InRange(numbers.Average(), -0.03, 0.03);
        Assert.InRange(numbers.Average(number => number * number), 0.96, 1.04);
        Assert.InRange(numbers.Count(number => Math.Abs(number) > 1.96), 430, 570);
        Assert.Equal(numbers.Take(3), Enumerable.Repeat(new NormalNoise(1), 3).Select(again => again.Next()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(499)]
    [InlineData(500)]
    [InlineData(501)]
    [InlineData(1500)]
    public void Each_trial_is_made_once_with_numbers_of_its_own(int trials)
    {
        IReadOnlyDictionary<double, int> counts = NormalNoise.Count(trials, seed: 1, noise => noise.Next());
        Assert.Equal(trials, counts.Count);
        Assert.Equal(trials, counts.Values.Sum());
        Assert.DoesNotContain(NormalNoise.Count(trials, seed: 2, noise => noise.Next()).Keys, counts.ContainsKey);
        Assert.Equal(counts.Keys.Order(), NormalNoise.Count(trials, seed: 1, noise => noise.Next()).Keys.Order());
    }

    [Fact]
    public void Verdicts_are_counted_as_parts_of_the_trials()
    {
        Dictionary<MetricVerdict, int> counts = new()
        {
            [MetricVerdict.Regression] = 1,
            [MetricVerdict.Pass] = 2,
            [MetricVerdict.Faster] = 3,
            [MetricVerdict.Inconclusive] = 4,
        };
        Assert.Equal(new SimulationResult(0.1, 0.5, 0.4), SimulationResult.Of(counts, 10));
    }

    [Fact]
    public void Options_of_a_simulation_end_where_they_must()
    {
        SimulationOptions least = new()
        {
            Launches = 1,
            Iterations = 1,
            Trials = 1,
        };
        Assert.Equal(1, GateSimulation.Run(least).Inconclusive);
        Assert.All(
            [
                least with
                {
                    Launches = 0,
                },
                least with
                {
                    Iterations = 0,
                },
                least with
                {
                    Trials = 0,
                },
                least with
                {
                    RecordedLaunches = 1,
                },
                least with
                {
                    RecordedLaunches = -1,
                },
                least with
                {
                    Threshold = 0,
                },
            ],
            options => Assert.Throws<OptionException>(() => GateSimulation.Run(options))
        );
    }

    [Fact]
    public void The_floor_is_that_of_the_side_with_fewer_launches_and_iterations()
    {
        GateOptions options = new() { Metrics = ["decode_tps"] };
        NoiseRecord noise = NoiseRecord.Measure([Run("a", launches: 10, sd: 0.02)], new NoiseOptions { Metrics = options.Metrics });
        NoiseEntry entry = noise.Entries[0];
        AssertWarns((entry.Floor(3, 5, options.Alpha) + entry.Floor(10, 5, options.Alpha)) / 2, Run("b"), Run("c", launches: 10));
        AssertWarns((entry.Floor(3, 1, options.Alpha) + entry.Floor(3, 5, options.Alpha)) / 2, Run("b", iterations: 1), Run("c"));

        void AssertWarns(double threshold, Run few, Run many)
        {
            GateOptions between = options with { Noise = noise, Threshold = threshold };
            Assert.Contains("below the noise floor", GateReport.Text(RegressionGate.Judge([few], many, between)), StringComparison.Ordinal);
            Assert.Contains("below the noise floor", GateReport.Text(RegressionGate.Judge([many], few, between)), StringComparison.Ordinal);
            Assert.DoesNotContain("noise floor", GateReport.Text(RegressionGate.Judge([many], many, between)), StringComparison.Ordinal);
        }
    }
}
