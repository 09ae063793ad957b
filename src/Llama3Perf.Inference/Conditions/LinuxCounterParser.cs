using System.Globalization;

namespace Llama3Perf.Inference.Conditions;

/// <summary>Reads the counters that Linux keeps under /proc.</summary>
internal static class LinuxCounterParser
{
    // USER_HZ: the unit of the files, whatever the kernel's own tick is.
    private const double MsPerTick = 10;

    /// <summary>Processor lines of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. Only the processors of the list
    /// count; null takes all.</summary>
    public static ProcessorTimes? Processors(string stat, IReadOnlySet<int>? allowed)
    {
        double busy = 0,
            steal = 0,
            total = 0;
        int count = 0;
        foreach (string line in stat.Split('\n'))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (
                fields is not [['c', 'p', 'u', .. string number], ..]
                || Number(number) is not { } processor
                || (allowed is not null && !allowed.Contains((int)processor))
            )
            {
                continue;
            }

            double[] ticks = [.. fields.Skip(1).Take(8).Select(field => Number(field) ?? 0)];
            if (ticks.Length < 8)
            {
                continue;
            }

            count++;
            busy += ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
            steal += ticks[7];
            total += ticks.Sum();
        }
        return count == 0 ? null : new ProcessorTimes(busy * MsPerTick, steal * MsPerTick, total * MsPerTick, count);
    }

    /// <summary>Total of the line <c>some</c> in a file of /proc/pressure, ms.</summary>
    public static double? PressureMs(string? text)
    {
        const string Total = " total=";
        string? some = text?.Split('\n').FirstOrDefault(line => line.StartsWith("some ", StringComparison.Ordinal));
        int at = some?.IndexOf(Total, StringComparison.Ordinal) ?? -1;
        return at < 0 ? null : Number(some![(at + Total.Length)..]) / 1000;
    }

    /// <summary>The first number of /proc/uptime, which counts time asleep too, ms.</summary>
    public static double? UptimeMs(string? text) =>
        double.TryParse(text?.Split(' ')[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            ? seconds * 1000
            : null;

    /// <summary>A process by its /proc/PID/stat; null where the text is of another form.</summary>
    public static ProcessCounters? Process(string? stat)
    {
        // The name stands in parentheses and may hold anything, parentheses and blanks too.
        int end = stat?.LastIndexOf(')') ?? -1;
        if (end < 0)
        {
            return null;
        }

        double?[] fields = [.. stat![(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(14).Select(Number)];
        // ppid, pgrp, session, tty, tpgid, flags, minflt, cminflt, majflt, cmajflt, utime, stime, cutime, cstime
        return fields is [{ } parent, _, _, _, _, _, _, _, { } major, { } childMajor, { } user, { } system, { } childUser, { } childSystem]
            ? new ProcessCounters(
                (int)parent,
                (user + system) * MsPerTick,
                (childUser + childSystem) * MsPerTick,
                (long)(major + childMajor)
            )
            : null;
    }

    private static double? Number(string text) =>
        long.TryParse(text, NumberStyles.AllowTrailingWhite | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number
            : null;
}

/// <summary>Counters of one process.</summary>
/// <param name="ParentId">The process that it belongs to.</param>
/// <param name="CpuMs">Its own processor time.</param>
/// <param name="EndedChildrenMs">Processor time of its children that have ended.</param>
/// <param name="MajorFaults">Faults read from a disk, those of ended children too.</param>
internal sealed record ProcessCounters(int ParentId, double CpuMs, double EndedChildrenMs, long MajorFaults);
