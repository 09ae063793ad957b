using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Benchmarks.Tests.Sides;

public sealed class BlockMeasurementTests
{
    private static readonly CaseKey[] s_cases = [SyntheticRuns.Case("pp4"), SyntheticRuns.Case("pp8"), SyntheticRuns.Case("pp16")];
    private static readonly string[] s_ids = [.. s_cases.Select(key => CaseId.For(key))];

    private readonly List<string> _log = [];
    private readonly List<string> _lines = [];
    private readonly SteppedClock _clock = new();
    private Func<(Run Baseline, Run Current)>? _complete;

    [Fact]
    public void Sides_are_launched_in_blocks_that_are_balanced_and_in_random_order()
    {
        BlockMeasurement measurement = Measurement(Noisy(1), Noisy(1), new Budget(null, 12), sd: 0.8);

        string ended = measurement.Run();

        Assert.Equal("The budget of 12 blocks is spent", ended);
        string[][] blocks = [.. _log.Chunk(4)];
        Assert.Equal(3 * 12, blocks.Length);
        Assert.All(
            blocks,
            block =>
            {
                Assert.Single(block.Select(launch => launch.Split(' ')[1]).Distinct());
                string order = string.Concat(block.Select(launch => launch[0]));
                Assert.Contains(order, (string[])["bccb", "cbbc"]);
            }
        );
        Assert.Equal(2, blocks.Select(block => block[0][0]).Distinct().Count());
        Assert.All(blocks.Chunk(3), round => Assert.Equal(3, round.Select(block => block[0].Split(' ')[1]).Distinct().Count()));
        Assert.True(blocks.Chunk(3).Select(round => round[0][0].Split(' ')[1]).Distinct().Count() > 1);
    }

    [Fact]
    public void Generations_take_turns_where_both_sides_can()
    {
        BlockMeasurement measurement = Measurement(Noisy(1), Noisy(1), new Budget(null, 3), sd: 0.8, turns: 5);

        measurement.Run();

        // Both are loaded, each first once; then A B B A as often as both have enough: five turns are three groups.
        string[][] pairs = [.. _log.Chunk(2 + 12 + 2)];
        Assert.Equal(2 * 3 * 3, pairs.Length);
        Assert.All(pairs.Chunk(2), block => Assert.NotEqual(block[0][0], block[1][0]));
        Assert.Equal(2, pairs.Chunk(2).Select(block => block[0][0]).Distinct().Count());
        Assert.All(
            pairs,
            block =>
            {
                Assert.Equal(["b begin", "c begin"], block[..2].Order(StringComparer.Ordinal));
                Assert.All(
                    block[2..14].Chunk(4),
                    group => Assert.Contains(string.Concat(group.Select(turn => turn[0])), (string[])["bccb", "cbbc"])
                );
                Assert.All(block[2..14], turn => Assert.EndsWith(" step", turn, StringComparison.Ordinal));
                Assert.Equal(block[14][2..], block[15][2..]);
            }
        );
    }

    [Fact]
    public void A_side_that_fails_before_its_turns_ends_the_block_of_both()
    {
        BlockMeasurement measurement = Measurement(
            Noisy(1),
            (id, random) => id == s_ids[0] ? null : 1 + (0.004 * (random - 0.5)),
            new Budget(null, 20),
            turns: 2
        );

        Assert.Equal("1 cases failed, the others are decided", measurement.Run());
        Assert.Contains($"{s_ids[0]}  failed on the current side: it broke; --turns launches loads one side at a time", _lines);
    }

    [Fact]
    public void A_budget_too_small_for_turns_is_refused()
    {
        BlockMeasurement measurement = Measurement(Noisy(1), Noisy(1), new Budget(TimeSpan.FromSeconds(30), null), seconds: 10, turns: 9);

        Assert.Equal(
            "--budget: 30 s are too short for a block, which loads the model of both sides",
            Assert.Throws<UsageException>(() => measurement.Run()).Message
        );
    }

    [Fact]
    public void The_same_seed_gives_the_same_order()
    {
        string[] Order(int seed)
        {
            _log.Clear();
            Measurement(Noisy(1), Noisy(1), new Budget(null, 5), sd: 0.3, seed: seed).Run();
            return [.. _log];
        }

        Assert.Equal(Order(7), Order(7));
        Assert.NotEqual(Order(7), Order(8));
    }

    [Fact]
    public void Decided_cases_are_dropped_and_the_verdict_has_the_exit_code_of_the_gate()
    {
        // pp8 lost a tenth, pp16 scatters so much that nothing is decided.
        BlockMeasurement measurement = Measurement(
            Noisy(1),
            (id, random) => (id == s_ids[1] ? 0.9 : 1) * (1 + ((id == s_ids[2] ? 0.5 : 0.004) * (random - 0.5))),
            new Budget(null, 15)
        );

        string ended = measurement.Run();
        SequentialVerdict verdict = Verdict(measurement, ended);

        Dictionary<string, MetricVerdict> verdicts = measurement
            .Gate.Checks.Where(check => check.Metric.Name == "decode_tps")
            .ToDictionary(check => check.CaseId, check => check.Verdict);
        Assert.Equal(MetricVerdict.Pass, verdicts[s_ids[0]]);
        Assert.Equal(MetricVerdict.Regression, verdicts[s_ids[1]]);
        Assert.Equal(MetricVerdict.Inconclusive, verdicts[s_ids[2]]);
        Assert.Equal(60, _log.Count(launch => launch.EndsWith(s_ids[2], StringComparison.Ordinal)));
        Assert.InRange(_log.Count(launch => launch.EndsWith(s_ids[0], StringComparison.Ordinal)), 12, 40);
        Assert.Equal(GateExitCode.Regression, verdict.ExitCode);
        Assert.Contains("RED", string.Join('\n', _lines), StringComparison.Ordinal);
        Assert.Contains("REGRESSION", SequentialReport.Text(verdict), StringComparison.Ordinal);
    }

    [Fact]
    public void A_case_that_fails_is_named_and_the_others_go_on()
    {
        BlockMeasurement measurement = Measurement(
            Noisy(1),
            (id, random) => id == s_ids[0] ? null : 1 + (0.004 * (random - 0.5)),
            new Budget(null, 20)
        );

        string ended = measurement.Run();

        Assert.Equal("1 cases failed, the others are decided", ended);
        Assert.Contains(_lines, line => line == $"{s_ids[0]}  failed on the current side: it broke");
        Assert.InRange(_log.Count(launch => launch.EndsWith(s_ids[0], StringComparison.Ordinal)), 1, 2);
    }

    [Fact]
    public void A_budget_of_time_ends_before_a_block_that_does_not_fit()
    {
        // 10 s a launch, 40 s a block: three blocks fit into 150 s.
        BlockMeasurement measurement = Measurement(Noisy(1), Noisy(1), new Budget(TimeSpan.FromSeconds(150), null), sd: 0.3, seconds: 10);

        Assert.Equal("The budget of 2.5 min is spent", measurement.Run());
        Assert.Equal(12, _log.Count);
    }

    [Fact]
    public void A_budget_too_small_for_a_block_is_refused_after_one_launch()
    {
        BlockMeasurement measurement = Measurement(Noisy(1), Noisy(1), new Budget(TimeSpan.FromSeconds(30), null), seconds: 10);

        UsageException refused = Assert.Throws<UsageException>(() => measurement.Run());

        Assert.Equal(
            "--budget: 30 s are too short for a block, which is four launches, and the first took 10.0 s; give it 200s or more",
            refused.Message
        );
        Assert.Single(_log);
    }

    [Fact]
    public void A_budget_that_is_over_before_the_first_launch_is_refused_too()
    {
        _clock.Lag = TimeSpan.FromSeconds(40);
        BlockMeasurement measurement = Measurement(Noisy(1), Noisy(1), new Budget(TimeSpan.FromSeconds(30), null));

        Assert.StartsWith(
            "--budget: 30 s are too short for a block",
            Assert.Throws<UsageException>(() => measurement.Run()).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Cases_are_paired_before_anything_is_measured()
    {
        Run Planned(string name, params CaseKey[] cases) => new ScriptedSide(name, cases, (_, _) => 1, _log).Planned;
        CaseKey spinning = s_cases[0] with { EngineOptions = "session:session.intra_op.allow_spinning=0" };

        SidePair pair = Assert.Single(SidePairs.Of(Planned("b", s_cases[0]), Planned("c", spinning), []));
        Assert.Equal((CaseId.For(s_cases[0]), CaseId.For(spinning)), (pair.BaselineId, pair.CurrentId));
        Assert.Contains(
            $"'{s_ids[1]}' is in the baseline only",
            Refusal(Planned("b", s_cases[0], s_cases[1]), Planned("c", s_cases[0])),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "name what is compared with --vary",
            Refusal(Planned("b", s_cases[0]), Planned("c", s_cases[0] with { Threads = 1, Precision = "int8" })),
            StringComparison.Ordinal
        );
        Run skipped = Planned("b", s_cases[0]);
        skipped = skipped with { Cases = [skipped.Cases[0] with { Status = CaseStatus.Skipped, Error = "no GPU" }] };
        Assert.Contains("the baseline can measure nothing here", Refusal(skipped, Planned("c", s_cases[0])), StringComparison.Ordinal);
        Run half = skipped with { Cases = [.. skipped.Cases, Planned("b", s_cases[1]).Cases[0]] };
        Assert.Contains(
            "is skipped in the baseline: no GPU",
            Refusal(half, Planned("c", s_cases[0], s_cases[1])),
            StringComparison.Ordinal
        );
        Assert.Equal(s_ids[1], Assert.Single(SidePairs.Of(half, half, [])).Name);

        static string Refusal(Run baseline, Run current) =>
            Assert.Throws<Llama3Perf.Results.RunFileException>(() => SidePairs.Of(baseline, current, [])).Message;
    }

    private static Func<string, double, double?> Noisy(double speed) => (_, random) => speed * (1 + (0.004 * (random - 0.5)));

    private BlockMeasurement Measurement(
        Func<string, double, double?> baseline,
        Func<string, double, double?> current,
        Budget budget,
        double sd = 0,
        int seed = 3,
        int seconds = 0,
        int turns = 0
    )
    {
        Random random = new(5);
        void Tick() => _clock.Now += TimeSpan.FromSeconds(seconds);
        double? Speed(Func<string, double, double?> script, string id) =>
            script(id, random.NextDouble()) * (1 + (sd * (random.NextDouble() - 0.5)));
        ScriptedSide before = new("b", s_cases, (id, _) => Speed(baseline, id), _log, Tick) { Turns = turns };
        ScriptedSide now = new("c", s_cases, (id, _) => Speed(current, id), _log, Tick) { Turns = turns };
        _complete = () => (before.Complete(), now.Complete());
        return new BlockMeasurement(
            before,
            now,
            SidePairs.Of(before.Planned, now.Planned, []),
            new GateOptions { Metrics = ["decode_tps"] },
            budget,
            seed,
            _clock,
            _lines.Add
        );
    }

    private SequentialVerdict Verdict(BlockMeasurement measurement, string ended)
    {
        (Run baseline, Run current) = _complete!();
        return SequentialVerdict.Of(measurement.Gate, SidePairs.Of(baseline, current, []), baseline, current, seed: 3, ended);
    }
}
