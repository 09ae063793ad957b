namespace Llama3Perf.Inference.Machine;

/// <summary>Free memory of a Linux machine and of the control groups that this process is in.</summary>
internal sealed class LinuxMemory(string root)
{
    private const string Mount = "sys/fs/cgroup";
    private readonly LinuxFiles _files = new(root);

    /// <summary>The least of what the machine and each group up to the root has left; null where neither tells.</summary>
    public long? AvailableBytes()
    {
        long? machine = _files.Read("proc/meminfo") is { } meminfo ? LinuxParser.Kilobytes(meminfo, "MemAvailable") : null;
        return Groups().Append(machine).Min();
    }

    // Lines are number:controllers:path; version 2 has number 0 and names no controllers.
    private IEnumerable<long?> Groups()
    {
        foreach (string line in (_files.Read("proc/self/cgroup") ?? "").Split('\n'))
        {
            if (line.Split(':', 3) is not [string number, string controllers, string path])
            {
                continue;
            }

            if (number == "0" && controllers.Length == 0)
            {
                foreach (string group in UpToRoot(Mount, path))
                {
                    yield return Left(group, "memory.max", "memory.current", "inactive_file ");
                }
            }
            else if (controllers.Split(',').Contains("memory"))
            {
                foreach (string group in UpToRoot($"{Mount}/memory", path))
                {
                    yield return Left(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file ");
                }
            }
        }
    }

    // Inside a container the path may be that of the host and not be there; the limit then lies at the mount itself.
    private static IEnumerable<string> UpToRoot(string mount, string path)
    {
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return Enumerable.Range(0, names.Length + 1).Select(count => string.Join('/', names[..count].Prepend(mount)));
    }

    // Cached file pages that nobody used lately count as used, and are given back when memory is asked for.
    private long? Left(string group, string limitFile, string usedFile, string reclaimable)
    {
        if (
            LinuxParser.Bytes(_files.Read($"{group}/{limitFile}")) is not { } limit
            || LinuxParser.Bytes(_files.Read($"{group}/{usedFile}")) is not { } used
        )
        {
            return null;
        }

        string? cached = (_files.Read($"{group}/memory.stat") ?? "")
            .Split('\n')
            .FirstOrDefault(line => line.StartsWith(reclaimable, StringComparison.Ordinal));
        long held = Math.Max(0, used - (LinuxParser.Bytes(cached?[reclaimable.Length..]) ?? 0));
        return Math.Max(0, limit - held);
    }
}
