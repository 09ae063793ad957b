using System.Globalization;
using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Machine;

/// <summary>Physical cores that this process may use: the default number of intra-op threads.</summary>
public static unsafe partial class PhysicalCores
{
    private const string Topology = "/sys/devices/system/cpu";
    private const int RelationProcessorCore = 0;

    /// <summary>The count, at least 1 and never above <see cref="Environment.ProcessorCount"/>, which heeds affinity and container limits.
    /// Where the system does not tell, that.</summary>
    public static int Count { get; } = Math.Clamp(Ask() ?? Environment.ProcessorCount, 1, Environment.ProcessorCount);

    /// <summary>Processors of a list as Linux writes it: <c>0-3,8</c>.</summary>
    internal static IEnumerable<int> ParseList(string list)
    {
        foreach (string range in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] ends = range.Split('-');
            int first = int.Parse(ends[0], CultureInfo.InvariantCulture);
            int last = int.Parse(ends[^1], CultureInfo.InvariantCulture);
            for (int processor = first; processor <= last; processor++)
            {
                yield return processor;
            }
        }
    }

    private static int? Ask() =>
        OperatingSystem.IsLinux() ? AskLinux()
        : OperatingSystem.IsMacOS() ? AskMacOS()
        : OperatingSystem.IsWindows() ? AskWindows()
        : null;

    // Processors of one core have the same list of siblings.
    private static int? AskLinux()
    {
        const string Allowed = "Cpus_allowed_list:";
        try
        {
            string list = File.ReadLines("/proc/self/status").First(line => line.StartsWith(Allowed, StringComparison.Ordinal))[
                Allowed.Length..
            ];
            return ParseList(list)
                .Select(processor => File.ReadAllText($"{Topology}/cpu{processor}/topology/thread_siblings_list"))
                .Distinct()
                .Count();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static int? AskMacOS()
    {
        int count = 0;
        nuint size = sizeof(int);
        return SysctlByName("hw.physicalcpu", &count, &size, null, 0) == 0 ? count : null;
    }

    private static int? AskWindows()
    {
        uint length = 0;
        _ = GetLogicalProcessorInformationEx(RelationProcessorCore, null, &length);
        byte[] buffer = new byte[length];
        fixed (byte* start = buffer)
        {
            if (!GetLogicalProcessorInformationEx(RelationProcessorCore, start, &length))
            {
                return null;
            }
            // Each record is one core; its second field is the record's size.
            int cores = 0;
            for (uint offset = 0; offset + 8 <= length; offset += *(uint*)(start + offset + 4))
            {
                cores++;
            }

            return cores;
        }
    }

    [LibraryImport("libSystem.dylib", EntryPoint = "sysctlbyname", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SysctlByName(string name, void* value, nuint* size, void* newValue, nuint newSize);

    [LibraryImport("kernel32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetLogicalProcessorInformationEx(int relationship, byte* buffer, uint* length);
}
