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
    private readonly SequentialTTest _noGain;
    private readonly SequentialTTest _noLoss;
    private readonly SequentialTTest _lossOfThreshold;

    public BlockSequence(Tolerance tolerance)
    {
        _tolerance = tolerance;
        (_noGain, _noLoss, _lossOfThreshold) = (new SequentialTTest(0), new SequentialTTest(0), new SequentialTTest(tolerance.Loss));
    }

    /// <summary>Blocks so far.</summary>
    public int Count => _logRatios.Count;

    /// <summary>Mean of the blocks' logarithms of current / baseline.</summary>
    public double LogRatio => _logRatios.Average();

    /// <summary>Variance of the blocks; NaN with fewer than two.</summary>
    public double Variance
    {
        get
        {
            double mean = LogRatio;
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
        double halfWidth = Count < 2 ? double.PositiveInfinity : SequentialTTest.HalfWidth(Count, Variance, alpha);
        return double.IsFinite(halfWidth) ? Statistics.Interval.Around(LogRatio, halfWidth).Exp() : null;
    }

    /// <summary>
    /// Blocks with which the same mean at the same spread would be a pass or a regression; null when it takes more than
    /// <see cref="MostBlocks"/>, or there are fewer than two.
    /// </summary>
    public int? BlocksToDecide(double alpha, int family)
    {
        double gain = _tolerance.IsHigherBetter ? LogRatio : -LogRatio;
        for (int blocks = Count + 1; Count > 1 && blocks <= MostBlocks; blocks++)
        {
            bool isPass = gain - _tolerance.Loss > SequentialTTest.HalfWidth(blocks, Variance, alpha);
            bool isRegression = gain < _tolerance.Loss && -gain > SequentialTTest.HalfWidth(blocks, Variance, alpha / family);
            if (isPass || isRegression)
            {
                return blocks;
            }
        }

        return null;
    }
}
