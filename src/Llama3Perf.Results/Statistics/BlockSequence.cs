namespace Llama3Perf.Results.Statistics;

/// <summary>
/// One metric of one case, measured in blocks of launches of both sides: a logarithm of current / baseline for each block, so that
/// what drifts from block to block cancels. What it shows may be looked at after every block.
/// </summary>
internal sealed class BlockSequence
{
    /// <summary>Beyond this a number is no advice.</summary>
    public const int MostBlocks = 200;

    private readonly Tolerance _tolerance;
    private readonly List<double> _logRatios = [];
    private readonly AnytimeTest _noGain;
    private readonly AnytimeTest _noLoss;
    private readonly AnytimeTest _lossOfThreshold;

    public BlockSequence(Tolerance tolerance)
    {
        _tolerance = tolerance;
        (_noGain, _noLoss, _lossOfThreshold) = (new AnytimeTest(0), new AnytimeTest(0), new AnytimeTest(tolerance.Loss));
    }

    /// <summary>Blocks so far.</summary>
    public int Count => _logRatios.Count;

    /// <summary>Median of the blocks' logarithms of current / baseline: a block that something hit stays one of many.</summary>
    public double LogRatio => _logRatios.Median();

    /// <summary>Variance of the blocks; NaN with fewer than two.</summary>
    public double Variance
    {
        get
        {
            double mean = _logRatios.Average();
            return _logRatios.Sum(value => (value - mean) * (value - mean)) / (Count - 1);
        }
    }

    /// <summary>Adds a block.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no finite number.</exception>
    public void Add(double logRatio)
    {
        if (!double.IsFinite(logRatio))
        {
            throw new ArgumentOutOfRangeException(nameof(logRatio), logRatio, "A block's ratio has a finite logarithm.");
        }

        double gain = _tolerance.IsHigherBetter ? logRatio : -logRatio;
        _logRatios.Add(logRatio);
        _noGain.Add(gain);
        _noLoss.Add(-gain);
        _lossOfThreshold.Add(gain);
    }

    /// <summary>What the blocks so far show; null with fewer than two.</summary>
    public ChangeEvidence? Evidence(bool isUnsteady) =>
        Count < 2
            ? null
            : new ChangeEvidence(
                _tolerance,
                _tolerance.IsHigherBetter ? LogRatio : -LogRatio,
                _noLoss.P,
                _noGain.P,
                _lossOfThreshold.P,
                isUnsteady
            );

    /// <summary>The interval of the ratio that each end exceeds at any look with probability <paramref name="alpha"/>; null while it is
    /// endless.</summary>
    public Interval? Interval(double alpha)
    {
        if (Count < 2)
        {
            return null;
        }

        double low = AnytimeTest.Bound(_logRatios, alpha);
        double high = -AnytimeTest.Bound([.. _logRatios.Select(value => -value)], alpha);
        return double.IsFinite(low) && double.IsFinite(high) ? new Interval(Math.Min(low, LogRatio), Math.Max(high, LogRatio)).Exp() : null;
    }

    /// <summary>
    /// Blocks with which more of the same would be a pass or a regression; null when it takes more than <see cref="MostBlocks"/>, or there
    /// are fewer than two.
    /// </summary>
    public int? BlocksToDecide(double alpha, int family)
    {
        double[] gains = [.. _logRatios.Select(value => _tolerance.IsHigherBetter ? value : -value)];
        double[] losses = [.. gains.Select(value => -value)];
        double gain = _tolerance.IsHigherBetter ? LogRatio : -LogRatio;
        for (int blocks = Count + 1; Count > 1 && blocks <= MostBlocks; blocks++)
        {
            bool isPass = gain > _tolerance.Loss && AnytimeTest.WouldReject(gains, blocks, _tolerance.Loss, alpha);
            bool isRegression = gain < _tolerance.Loss && AnytimeTest.WouldReject(losses, blocks, 0, alpha / family);
            if (isPass || isRegression)
            {
                return blocks;
            }
        }

        return null;
    }
}
