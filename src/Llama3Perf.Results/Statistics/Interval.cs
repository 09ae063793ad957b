namespace Llama3Perf.Results.Statistics;

/// <summary>A confidence interval, both ends included.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public sealed record Interval(double Low, double High)
{
    /// <summary>True when the value lies in the interval.</summary>
    public bool Contains(double value) => Low <= value && value <= High;

    /// <summary>The smallest interval that holds both.</summary>
    internal Interval Hull(Interval other) => new(Math.Min(Low, other.Low), Math.Max(High, other.High));

    internal static Interval Around(double centre, double halfWidth) => new(centre - halfWidth, centre + halfWidth);

    internal Interval Exp() => new(Math.Exp(Low), Math.Exp(High));
}
