using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;
using Llama3Perf.Results.Tests.Comparison;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Gate;

public sealed class SequentialGateTests
{
    private static readonly GateOptions s_options = new() { Metrics = ["decode_tps", "ttft_ms"] };

    [Theory]
    [InlineData(1.0, MetricVerdict.Pass)]
    [InlineData(1.1, MetricVerdict.Regression)]
    [InlineData(0.96, MetricVerdict.Pass)]
    public void A_case_is_measured_until_it_is_decided(double slower, MetricVerdict expected)
    {
        SequentialGate gate = new(["a"], s_options);
        int blocks = Measure(gate, _ => slower, most: 12);
        Assert.InRange(blocks, 4, 8);
        Assert.All(
            gate.Checks,
            check =>
            {
                Assert.Equal((expected, true, null), (check.Verdict, check.IsDecided, check.Reason));
                Assert.Equal(check.Metric.Name == "ttft_ms" ? slower : 1 / slower, check.Ratio!.Value, 0.02);
                Assert.True(check.Interval!.Contains(check.Ratio.Value));
            }
        );
    }

    [Fact]
    public void Decided_cases_are_dropped_and_the_others_go_on()
    {
        SequentialGate gate = new(["quiet", "loud"], s_options);
        Measure(gate, _ => 1, most: 8, sd: caseId => caseId == "quiet" ? 0.002 : 0.1);
        Assert.Equal(["loud"], gate.Undecided);
        Assert.All(gate.Checks.Where(check => check.CaseId == "quiet"), check => Assert.InRange(check.Blocks, 4, 6));
        SequentialCheck loud = gate.Checks.First(check => check.CaseId == "loud");
        Assert.Equal((MetricVerdict.Inconclusive, 8, false), (loud.Verdict, loud.Blocks, loud.IsDecided));
        Assert.Matches(
            @"^not decided after 8 blocks; (about \d+ would decide|more than 200 would be needed) \(blocks spread by \d+\.\d+ %\)",
            loud.Reason
        );
    }

    [Fact]
    public void A_verdict_once_reached_stays()
    {
        SequentialGate gate = new(["a"], s_options with { Metrics = ["decode_tps"] });
        Measure(gate, _ => 1, most: 12);
        int blocks = gate.Checks[0].Blocks;
        for (int i = 0; i < 20; i++)
        {
            Add(gate, "a", $"later{i}", slower: 1.5, sd: 0.002);
        }

        Assert.Equal((MetricVerdict.Pass, blocks + 20), (gate.Checks[0].Verdict, gate.Checks[0].Blocks));
    }

    [Fact]
    public void A_pass_may_yet_turn_out_to_be_faster()
    {
        SequentialGate gate = new(["a"], s_options);
        int blocks = Measure(gate, _ => 0.8, most: 12);
        Assert.InRange(blocks, 4, 6);
        Assert.All(gate.Checks, check => Assert.True(check.Verdict is MetricVerdict.Pass or MetricVerdict.Faster));
        for (int i = 0; i < 3; i++)
        {
            Add(gate, "a", $"later{i}", slower: 0.8, sd: 0.005);
        }

        Assert.All(gate.Checks, check => Assert.Equal(MetricVerdict.Faster, check.Verdict));
    }

    [Fact]
    public void Drift_from_block_to_block_cancels()
    {
        SequentialGate gate = new(["a"], s_options);
        int block = 0;
        while (gate.Undecided.Count > 0 && block < 10)
        {
            // The machine becomes 10 % slower from block to block, for both sides.
            double drift = Math.Pow(1.1, block++);
            gate.AddBlock("a", Samples($"b{block}", drift, 0.003), Samples($"c{block}", drift, 0.003));
        }

        Assert.All(gate.Checks, check => Assert.Equal(MetricVerdict.Pass, check.Verdict));
    }

    [Fact]
    public void Unsteady_blocks_are_no_evidence()
    {
        SequentialGate gate = new(["a"], s_options with { Metrics = ["decode_tps"] });
        for (int i = 0; i < 10; i++)
        {
            gate.AddBlock("a", Samples($"b{i}", 1, 0.002), Samples($"c{i}", 1.5, 0.002), "foreign load 40 %");
        }

        SequentialCheck check = Assert.Single(gate.Checks);
        Assert.Equal((MetricVerdict.Inconclusive, 0, 10, null), (check.Verdict, check.Blocks, check.UnsteadyBlocks, check.Ratio));
        Assert.StartsWith("10 blocks do not count (foreign load 40 %); no block with decode_tps", check.Reason, StringComparison.Ordinal);
        Measure(gate, _ => 1, most: 10);
        Assert.Equal(MetricVerdict.Pass, gate.Checks[0].Verdict);
    }

    [Fact]
    public void A_metric_that_a_side_lacks_is_never_decided()
    {
        SequentialGate gate = new(["a"], s_options);
        for (int i = 0; i < 8; i++)
        {
            gate.AddBlock("a", Samples($"b{i}", 1, 0.002), [.. Samples($"c{i}", 1, 0.002).Select(sample => sample with { TtftMs = null })]);
        }

        Assert.Equal(
            [("decode_tps", 8, true), ("ttft_ms", 0, false)],
            gate.Checks.Select(check => (check.Metric.Name, check.Blocks, check.IsDecided))
        );
        Assert.Equal(["a"], gate.Undecided);

        SequentialGate other = new(["a"], s_options);
        other.AddBlock("a", [.. Samples("b", 1, 0.002).Select(sample => sample with { TtftMs = null })], Samples("c", 1, 0.002));
        Assert.Equal([1, 0], other.Checks.Select(check => check.Blocks));
    }

    [Fact]
    public void Two_blocks_show_a_spread()
    {
        SequentialGate gate = new(["a"], s_options with { Metrics = ["decode_tps"] });
        IReadOnlyList<Sample> samples = Samples("b", 1, 0.002);
        gate.AddBlock("a", samples, samples);
        Assert.StartsWith("1 block with decode_tps on both sides; two show a spread", gate.Checks[0].Reason, StringComparison.Ordinal);

        // Logarithms of 0 and -0.1: a standard deviation of 0.1 / sqrt(2).
        gate.AddBlock("a", samples, [.. samples.Select(sample => Slower(sample, Math.Exp(0.1)))]);
        Assert.Matches(@"^not decided after 2 blocks; .* \(blocks spread by 7\.071 %\)", gate.Checks[0].Reason);
    }

    [Fact]
    public void More_cases_make_a_red_one_harder()
    {
        // The same blocks of one case, alone and among a hundred of which nothing is known.
        (SequentialGate alone, SequentialGate among) = (
            new(["a"], s_options),
            new(["a", .. Enumerable.Range(0, 99).Select(i => $"{i}")], s_options)
        );
        int alonePast = Measure(alone, _ => 1.12, most: 20, sd: _ => 0.02);
        int amongPast = 0;
        while (among.Checks[0].Verdict == MetricVerdict.Inconclusive && amongPast < 30)
        {
            Add(among, "a", $"{amongPast++}", 1.12, 0.02);
        }

        Assert.True(amongPast > alonePast);
        Assert.Equal(MetricVerdict.Regression, among.Checks[0].Verdict);
        Assert.True(among.Checks[0].AdjustedP < 0.01);
    }

    [Fact]
    public void Wrong_use_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new SequentialGate([], s_options));
        Assert.Throws<ArgumentException>(() => new SequentialGate(["a", "a"], s_options));
        Assert.Throws<OptionException>(() => new SequentialGate(["a"], s_options with { Metrics = ["article_tps"] }));
        Assert.Throws<ArgumentException>(() => new SequentialGate(["a"], s_options).AddBlock("b", [], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockSequence(new Tolerance(0.05, IsHigherBetter: true)).Add(double.NaN));
        Assert.Throws<OptionException>(() => new SequentialSimulation { MostBlocks = 1 }.Run(0.01, 0));
        Assert.Throws<OptionException>(() => new SequentialSimulation { Threshold = 0 }.Table());
        Assert.Throws<OptionException>(() => new SequentialSimulation { Trials = 0 }.WrongAtAnyLook(0.01, 0));
    }

    // However often one looks: no more false alarms than alpha, and no more passes of a true loss of the threshold. 4,000 trials: 1 % ±
    // 0.16 %.
    [Theory]
    [InlineData(0.005)]
    [InlineData(0.02)]
    [InlineData(0.10)]
    public void Looking_after_every_block_keeps_the_error_rates(double blockSd)
    {
        SequentialSimulation simulation = new() { Trials = 4000 };
        Assert.InRange(simulation.WrongAtAnyLook(blockSd, 0), 0, 0.014);
        Assert.InRange(simulation.WrongAtAnyLook(blockSd, simulation.Threshold), 0, 0.014);
    }

    [Fact]
    public void Few_blocks_decide_what_is_plain()
    {
        SequentialSimulation simulation = new() { Trials = 2000 };
        SequentialOutcome same = simulation.Run(0.02, 0);
        Assert.InRange(same.Verdicts.Passed, 0.98, 1);
        Assert.InRange(same.MedianBlocks!.Value, 4, 8);
        Assert.InRange(same.MostlyBlocks!.Value, 6, 12);
        SequentialOutcome slower = simulation.Run(0.02, 0.10);
        Assert.InRange(slower.Verdicts.Red, 0.97, 1);
        Assert.InRange(slower.MostlyBlocks!.Value, 4, 12);
        Assert.Equal(same, simulation.Run(0.02, 0));
    }

    [Fact]
    public void Wrong_verdicts_come_as_often_as_alpha_lets_them_and_not_more()
    {
        SequentialSimulation simulation = new() { Trials = 1000, Alpha = 0.2 };
        Assert.InRange(simulation.WrongAtAnyLook(0.2, 0), 0.01, 0.2);
        Assert.InRange(simulation.WrongAtAnyLook(0.02, simulation.Threshold), 0.01, 0.2);
    }

    [Fact]
    public void A_simulation_ends_with_its_last_block()
    {
        // Without any scatter the fifth block is the first that can decide.
        SequentialSimulation four = new() { Trials = 1, MostBlocks = 4 };
        SequentialOutcome none = four.Run(0, 0);
        Assert.Equal((1.0, null, null), (none.Verdicts.Inconclusive, none.MedianBlocks, none.MostlyBlocks));
        Assert.Equal((5, 5), (four with { MostBlocks = 5 }).Run(0, 0) is var five ? (five.MedianBlocks, five.MostlyBlocks) : default);
        Assert.Equal(1, (four with { MostBlocks = 2 }).Run(0, 0).Verdicts.Inconclusive);
        Assert.Equal(0, four.WrongAtAnyLook(0, 0.1));
    }

    [Fact]
    public void The_table_has_a_row_for_each_spread()
    {
        List<(int, int)> progress = [];
        Results.Files.TextTable table = new SequentialSimulation { Trials = 100, BlockSds = [0.01, 0.5] }.Table(
            (done, all) => progress.Add((done, all))
        );
        Assert.Equal([(1, 2), (2, 2)], progress);
        Assert.Equal(["1 %", "50 %"], table.Rows.Select(row => row[0]));
        Assert.Equal(9, table.Columns.Count);
        Assert.All(table.Columns, column => Assert.True(column.IsNumber));
        Assert.Equal(("lost 5 %: ever passed", "lost 10 %: red"), (table.Columns[2].Header, table.Columns[6].Header));
        Assert.Equal(("100.00 %", "0.00 %", "100.00 %"), (table.Rows[0][3], table.Rows[0][4], table.Rows[0][6]));
    }

    private static int Measure(SequentialGate gate, Func<string, double> slower, int most, Func<string, double>? sd = null)
    {
        int blocks = 0;
        for (; gate.Undecided.Count > 0 && blocks < most; blocks++)
        {
            foreach (string caseId in gate.Undecided)
            {
                Add(gate, caseId, $"{blocks}", slower(caseId), sd?.Invoke(caseId) ?? 0.005);
            }
        }

        return blocks;
    }

    private static void Add(SequentialGate gate, string caseId, string block, double slower, double sd) =>
        gate.AddBlock(caseId, Samples($"{caseId}-before-{block}", 1, sd), Samples($"{caseId}-after-{block}", slower, sd));

    private static IReadOnlyList<Sample> Samples(string id, double slower, double sd) =>
        Run(id, slower: slower, launches: 2, iterations: 3, sd: sd).Cases[0].Samples;
}
