using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Llama3Perf.Fuzz;

/// <summary>What a reader did with many damaged inputs.</summary>
/// <param name="Inputs">How many it was given.</param>
/// <param name="Refused">How many it refused as documented; the others it read.</param>
/// <param name="Findings">A line each, with the file that the input was kept in.</param>
/// <param name="Slowest">Longest time of one input.</param>
/// <param name="Largest">Most bytes that one input allocated.</param>
internal sealed record FuzzRun(long Inputs, long Refused, IReadOnlyList<string> Findings, TimeSpan Slowest, long Largest)
{
    private const int LongestMessage = 1000;
    private const long MostBytes = 200_000_000;
    private const int MostFindings = 20;

    /// <summary>Reads inputs until the count or the time is over, the same ones for the same seed.</summary>
    /// <param name="target">The reader.</param>
    /// <param name="inputs">How many.</param>
    /// <param name="seed">Seed.</param>
    /// <param name="time">When to stop earlier.</param>
    /// <param name="patience">Longest time of one input.</param>
    public static FuzzRun Of(FuzzTarget target, long inputs, int seed, TimeSpan time, TimeSpan patience)
    {
        Random random = new(seed);
        Dictionary<string, string> findings = new(StringComparer.Ordinal);
        long done = 0;
        long refused = 0;
        long largest = 0;
        TimeSpan slowest = TimeSpan.Zero;
        long start = Stopwatch.GetTimestamp();
        while (done < inputs && Stopwatch.GetElapsedTime(start) < time && findings.Count < MostFindings)
        {
            byte[] input = target.Mutate(target.Seeds[random.Next(target.Seeds.Count)], random);
            long begin = Stopwatch.GetTimestamp();
            long before = GC.GetAllocatedBytesForCurrentThread();
            (bool isRefused, string? finding) = Read(target, input);
            TimeSpan took = Stopwatch.GetElapsedTime(begin);
            long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            slowest = took > slowest ? took : slowest;
            largest = Math.Max(largest, bytes);
            finding ??=
                took > patience ? string.Create(CultureInfo.InvariantCulture, $"took {took.TotalSeconds:0.0} s")
                : bytes > MostBytes ? $"allocated {bytes} bytes"
                : null;
            if (finding is not null)
            {
                findings.TryAdd(finding, Keep(target, input));
            }

            refused += isRefused ? 1 : 0;
            done++;
        }

        return new FuzzRun(done, refused, [.. findings.Select(finding => $"{finding.Key} [{finding.Value}]")], slowest, largest);
    }

    private static (bool IsRefused, string? Finding) Read(FuzzTarget target, byte[] input)
    {
        try
        {
            target.Read(input);
            return (false, null);
        }
        catch (Exception e) when (target.IsDocumented(e))
        {
            return (true, Message(e.Message));
        }
#pragma warning disable CA1031 // That nothing else comes is what is tested.
        catch (Exception e)
#pragma warning restore CA1031
        {
            string where =
                e.StackTrace?.Split('\n')
                    .FirstOrDefault(line => line.Contains("Llama3Perf", StringComparison.Ordinal))
                    ?.Split(" in ")[0]
                    .Trim()
                ?? "";
            return (false, $"{e.GetType().Name} {where}");
        }
    }

    private static string? Message(string message) =>
        message.AsSpan().ContainsAny('\n', '\r') ? "a message of several lines"
        : message.Length > LongestMessage ? "a message of more than a thousand characters"
        : null;

    private static string Keep(FuzzTarget target, byte[] input)
    {
        string folder = Path.Combine(Fixtures.Root, "artifacts", "fuzz");
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, $"{target.Name}-{Convert.ToHexStringLower(SHA256.HashData(input))[..12]}");
        File.WriteAllBytes(file, input);
        return file;
    }
}
