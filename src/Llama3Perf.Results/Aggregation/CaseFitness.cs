using System.Globalization;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Aggregation;

/// <summary>Whether a machine was fit to measure a case, from what is known of its iterations alone.</summary>
public static class CaseFitness
{
    // Fewer values are never called bimodal: with nine of one mode and 3 % scatter one case in twelve would be.
    private const int FewestForModes = 10;

    /// <summary>Names of the metrics that it looks at, beside the conditions.</summary>
    internal static IReadOnlyList<string> Metrics { get; } =
    [
        .. SampleSchema
            .Metrics.Where(metric =>
                metric.Property?.Name is nameof(Sample.DecodeTps) or nameof(Sample.ItlP50Ms) or nameof(Sample.ItlP99Ms)
            )
            .Select(metric => metric.Name),
    ];

    /// <summary>The verdict on the iterations of one case; their order does not matter.</summary>
    public static Fitness Of(IReadOnlyList<Sample> samples)
    {
        if (samples.Count == 0)
        {
            return Fitness.Unknown;
        }

        Sample[] ordered =
        [
            .. samples.OrderBy(sample => sample.StartUtc).ThenBy(sample => sample.LaunchIndex).ThenBy(sample => sample.Iteration),
        ];
        string[] reasons = [.. Disturbances(ordered), .. Rates(ordered)];
        return reasons.Length == 0 ? new Fitness(Steadiness.Steady, null) : new Fitness(Steadiness.Unsteady, string.Join(", ", reasons));
    }

    /// <summary>
    /// What disturbed the machine while it measured, whatever the figures show; null when nothing did. It is all that speaks against a
    /// block of launches of two sides: what drifts there cancels, and what scatters stands in the interval.
    /// </summary>
    public static string? Disturbance(IReadOnlyList<Sample> samples) =>
        string.Join(", ", Disturbances([.. samples.OrderBy(sample => sample.StartUtc)])) is { Length: > 0 } reasons ? reasons : null;

    private static IEnumerable<string> Disturbances(Sample[] ordered)
    {
        Conditions all = ConditionSummary.Of([.. ordered.Select(sample => sample.Conditions)]);
        return
        [
            .. Interruptions(all),
            .. Load(all, ordered.Length),
            .. Throttling(all, ordered),
            .. all.Power?.Contains(" then ", StringComparison.Ordinal) == true ? [$"power changed: {all.Power}"] : (string[])[],
        ];
    }

    private static IEnumerable<string> Interruptions(Conditions all)
    {
        if (all.StoppedMs > 0)
        {
            yield return Invariant($"stopped for {all.StoppedMs / 1000:0.0} s");
        }

        if (all.SuspendedMs > 0)
        {
            yield return Invariant($"the machine slept for {all.SuspendedMs / 1000:0.0} s");
        }
    }

    private static IEnumerable<string> Load(Conditions all, int iterations)
    {
        double foreign = all.ForeignCpuPercent ?? 0,
            steal = all.StealPercent ?? 0;
        // Ticks that fall on either side of a reading: so much is seen of a machine where nobody else runs.
        double chance = FitnessLimits.TickMs * Math.Sqrt(iterations);
        if (
            foreign + steal > FitnessLimits.ForeignPercent
            && (all.WatchedMs is not { } watched || (foreign + steal) / 100 * watched > chance)
        )
        {
            yield return steal > foreign
                ? Invariant($"foreign load: the hypervisor took {steal:0} % of the processors")
                : Invariant($"foreign load: others took {foreign + steal:0} % of the processors");
        }

        if (all.GpuForeignPercent > FitnessLimits.ForeignPercent)
        {
            yield return Invariant($"foreign load: others took {all.GpuForeignPercent:0} % of the adapter");
        }

        if (all.MemoryPressurePercent > FitnessLimits.MemoryPressurePercent)
        {
            yield return Invariant($"memory pressure {all.MemoryPressurePercent:0} % of the time");
        }
    }

    private static IEnumerable<string> Throttling(Conditions all, Sample[] ordered)
    {
        if (all.ThrottleCount > 0)
        {
            yield return Invariant($"throttled: the processor was slowed {all.ThrottleCount} times");
        }

        if (all.GpuThrottle?.Split('+').Intersect(FitnessLimits.GpuFaults).ToArray() is { Length: > 0 } faults)
        {
            yield return $"throttled: the adapter was held back ({string.Join(", ", faults)})";
        }

        if (Fall(ordered, sample => sample.Conditions.CpuClockPercent) is { } processor)
        {
            yield return Invariant($"throttled: the processor's clock fell by {processor:0} %");
        }

        if (Fall(ordered, sample => sample.Conditions.GpuClockPercent) is { } adapter)
        {
            yield return Invariant($"throttled: the adapter's clock fell by {adapter:0} %");
        }
    }

    private static IEnumerable<string> Rates(Sample[] ordered)
    {
        if (Aggregates.Drift(ordered) is { } drift && Math.Abs(drift) > FitnessLimits.DriftPercent)
        {
            yield return Invariant($"drift {drift:+0.0;-0.0} %");
        }
        else if (Modes([.. ordered.Select(sample => sample.DecodeTps).OfType<double>()]) is var (low, high))
        {
            yield return Invariant($"bimodal: decode around {low:0.0} and {high:0.0} tok/s");
        }

        double[] stalls =
        [
            .. ordered
                .Select(sample => sample.ItlP99Ms - sample.ItlP50Ms < FitnessLimits.StallMs ? 1.0 : sample.ItlP99Ms / sample.ItlP50Ms)
                .OfType<double>()
                .Order(),
        ];
        if (stalls.Length > 0 && stalls[stalls.Length / 2] is var ratio && ratio > FitnessLimits.StallRatio)
        {
            yield return Invariant($"stalls: p99 between tokens {ratio:0.0} times the median");
        }
    }

    /// <summary>How far a level fell from the first third to the last, percent; null where it did not, or not far.</summary>
    private static double? Fall(Sample[] ordered, Func<Sample, double?> level)
    {
        double[] known = [.. ordered.Select(level).OfType<double>()];
        int third = known.Length / 3;
        return
            third > 0
            && known[..third].Average() is var first
            && (1 - (known[^third..].Average() / first)) * 100 is var fall
            && fall > FitnessLimits.ClockFallPercent
            ? fall
            : null;
    }

    /// <summary>
    /// The two rates around which the values lie, or null: a cut with a fifth of the values on each side, whose halves are at least
    /// <see cref="FitnessLimits.ModeDistancePercent"/> and four standard deviations within them apart, with a gap of two. Perfolizer's
    /// detector
    /// works on histograms and finds one in ten of such splits among fifteen values, this one 98 of 100 at 10 % distance and 1 % scatter.
    /// </summary>
    internal static (double Low, double High)? Modes(double[] values)
    {
        double[] sorted = [.. values.Order()];
        int least = sorted.Length / 5;
        double centre = sorted.Length == 0 ? 0 : sorted.Average();
        double[] sums = Running(sorted.Select(value => value - centre));
        double[] squares = Running(sorted.Select(value => (value - centre) * (value - centre)));
        for (int cut = least; sorted.Length >= FewestForModes && cut <= sorted.Length - least; cut++)
        {
            (double low, double high) = (sums[cut] / cut, (sums[^1] - sums[cut]) / (sorted.Length - cut));
            double within = Math.Sqrt(Math.Max(0, squares[^1] - (low * sums[cut]) - (high * (sums[^1] - sums[cut]))) / (sorted.Length - 2));
            if (
                high + centre > (low + centre) * (1 + (FitnessLimits.ModeDistancePercent / 100))
                && high - low > 4 * within
                && sorted[cut] - sorted[cut - 1] > 2 * within
            )
            {
                return (low + centre, high + centre);
            }
        }

        return null;
    }

    /// <summary>Sums of the first 0, 1, 2, … values.</summary>
    private static double[] Running(IEnumerable<double> values)
    {
        List<double> sums = [0];
        sums.AddRange(values.Select(value => sums[^1] + value));
        return [.. sums];
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
