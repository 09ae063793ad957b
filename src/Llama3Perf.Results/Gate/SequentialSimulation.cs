using System.Globalization;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>Simulated measurements in blocks that stop as soon as they are decided. Relative figures are parts: 0.01 is 1 %.</summary>
public sealed record SequentialSimulation
{
    /// <summary>Standard deviations of a block's log ratio.</summary>
    public IReadOnlyList<double> BlockSds { get; init; } = [0.005, 0.01, 0.02, 0.05, 0.10];

    /// <summary>Blocks after which a measurement gives up.</summary>
    public int MostBlocks { get; init; } = 30;

    /// <summary>Measurements of one metric of one case.</summary>
    public int Trials { get; init; } = 10_000;

    /// <summary>Seed; equal options give equal figures, whatever the number of cores.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The gate's threshold.</summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>The gate's alpha.</summary>
    public double Alpha { get; init; } = 0.01;

    /// <summary>Measures until decided.</summary>
    /// <param name="blockSd">Standard deviation of a block's log ratio.</param>
    /// <param name="loss">How much throughput the current side really lost.</param>
    /// <exception cref="OptionException">There are no trials or blocks, or an option is out of range.</exception>
    public SequentialOutcome Run(double blockSd, double loss)
    {
        Check(this);
        IReadOnlyDictionary<(MetricVerdict Verdict, int Blocks), int> counts = NormalNoise.Count(
            Trials,
            Seed,
            noise => Stop(blockSd, loss, noise)
        );
        int[] blocks =
        [
            .. counts
                .Where(count => count.Key.Verdict != MetricVerdict.Inconclusive)
                .SelectMany(count => Enumerable.Repeat(count.Key.Blocks, count.Value))
                .Order(),
        ];
        return new SequentialOutcome(
            SimulationResult.Of(
                counts.GroupBy(count => count.Key.Verdict).ToDictionary(group => group.Key, group => group.Sum(count => count.Value)),
                Trials
            ),
            blocks.Length == 0 ? null : blocks[blocks.Length / 2],
            blocks.Length == 0 ? null : blocks[blocks.Length * 9 / 10]
        );
    }

    /// <summary>
    /// How often a wrong verdict would have come at any look, when nothing else ends the measurement: red without a change, or a
    /// pass of a true loss of the threshold.
    /// </summary>
    /// <param name="blockSd">Standard deviation of a block's log ratio.</param>
    /// <param name="loss">0 counts reds, the threshold counts passes.</param>
    /// <exception cref="OptionException">There are no trials or blocks, or an option is out of range.</exception>
    public double WrongAtAnyLook(double blockSd, double loss)
    {
        Check(this);
        return (double)NormalNoise.Count(Trials, Seed, noise => EverWrong(blockSd, loss, noise)).GetValueOrDefault(true) / Trials;
    }

    /// <summary>Simulates every spread without a change, at a loss of the threshold and at twice that.</summary>
    /// <param name="progress">Told after each row how many of all are done; null tells nobody.</param>
    /// <exception cref="OptionException">There are no trials or blocks, or an option is out of range.</exception>
    public TextTable Table(Action<int, int>? progress = null)
    {
        List<IReadOnlyList<string>> rows = [];
        foreach (double sd in BlockSds)
        {
            (SequentialOutcome same, SequentialOutcome twice) = (Run(sd, 0), Run(sd, 2 * Threshold));
            rows.Add([
                ComparisonTable.Percent(sd),
                Rate(WrongAtAnyLook(sd, 0)),
                Rate(WrongAtAnyLook(sd, Threshold)),
                Rate(same.Verdicts.Passed),
                Rate(same.Verdicts.Inconclusive),
                Blocks(same),
                Rate(twice.Verdicts.Red),
                Rate(twice.Verdicts.Inconclusive),
                Blocks(twice),
            ]);
            progress?.Invoke(rows.Count, BlockSds.Count);
        }

        (string lost, string lostTwice) = (ComparisonTable.Percent(Threshold), ComparisonTable.Percent(2 * Threshold));
        return new TextTable(
            [
                new("sd of a block", true),
                new("no change: ever red", true),
                new($"lost {lost}: ever passed", true),
                new("no change: pass", true),
                new("inconclusive", true),
                new("blocks", true),
                new($"lost {lostTwice}: red", true),
                new("inconclusive", true),
                new("blocks", true),
            ],
            rows
        );
    }

    private static void Check(SequentialSimulation options)
    {
        ComparisonOptions.CheckThreshold(options.Threshold, options.Alpha);
        if (options.Trials < 1 || options.MostBlocks < 2)
        {
            throw new OptionException("A simulation needs a trial and two blocks.");
        }
    }

    private (MetricVerdict Verdict, int Blocks) Stop(double blockSd, double loss, NormalNoise noise)
    {
        BlockSequence sequence = new(Tolerance);
        MetricVerdict verdict = MetricVerdict.Inconclusive;
        while (verdict == MetricVerdict.Inconclusive && sequence.Count < MostBlocks)
        {
            verdict = Next(sequence, blockSd, loss, noise);
        }

        return (verdict, sequence.Count);
    }

    private bool EverWrong(double blockSd, double loss, NormalNoise noise)
    {
        BlockSequence sequence = new(Tolerance);
        while (sequence.Count < MostBlocks)
        {
            MetricVerdict verdict = Next(sequence, blockSd, loss, noise);
            if (loss == 0 ? verdict == MetricVerdict.Regression : verdict is MetricVerdict.Pass or MetricVerdict.Faster)
            {
                return true;
            }
        }

        return false;
    }

    private MetricVerdict Next(BlockSequence sequence, double blockSd, double loss, NormalNoise noise)
    {
        sequence.Add(Math.Log(1 - loss) + (blockSd * noise.Next()));
        return VerdictRule.Judge([sequence.Evidence(isUnsteady: false)], Alpha)[0].Verdict;
    }

    private Tolerance Tolerance => new(Threshold, IsHigherBetter: true);

    private static string Blocks(SequentialOutcome outcome) =>
        outcome.MedianBlocks is { } median ? $"{median} ({outcome.MostlyBlocks})" : "";

    private static string Rate(double part) => (part * 100).ToString("0.00", CultureInfo.InvariantCulture) + " %";
}

/// <summary>How measurements in blocks came out.</summary>
/// <param name="Verdicts">The verdicts that ended them.</param>
/// <param name="MedianBlocks">Blocks that half of the decided ones took; null when none was decided.</param>
/// <param name="MostlyBlocks">Blocks that nine of ten of the decided ones took; null when none was decided.</param>
public sealed record SequentialOutcome(SimulationResult Verdicts, int? MedianBlocks, int? MostlyBlocks);
