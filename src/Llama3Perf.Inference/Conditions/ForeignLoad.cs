using System.Globalization;

namespace Llama3Perf.Inference.Conditions;

/// <summary>A short look at how much of the machine others use, before anything is measured.</summary>
/// <param name="Processors">Processors' worth that other processes used, the hypervisor's share with them.</param>
/// <param name="Count">Processors that this process may use.</param>
public sealed record ForeignLoad(double Processors, int Count)
{
    /// <summary>From this share of the processors on, percent, others are felt in what is measured.</summary>
    public const double QuietPercent = 5;

    /// <summary>Whether the machine is quiet enough to measure on.</summary>
    public bool IsQuiet => Processors * 100 <= QuietPercent * Count;

    /// <summary>One line for a person.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"other processes use {Processors:0.0} of {Count} {(Count == 1 ? "core" : "cores")}");

    /// <summary>Looks for as long as it is told; null where the platform does not tell.</summary>
    public static ForeignLoad? Look(TimeSpan duration)
    {
        using ConditionsWatch watch = new();
        watch.Begin();
        Thread.Sleep(duration);
        return Of(watch.End(), watch.ProcessorCount);
    }

    /// <summary>What conditions say of a machine with so many processors.</summary>
    internal static ForeignLoad? Of(MachineConditions conditions, int? processors) =>
        conditions.ForeignCpuPercent is { } foreign && processors is { } count
            ? new ForeignLoad((foreign + (conditions.StealPercent ?? 0)) / 100 * count, count)
            : null;
}
