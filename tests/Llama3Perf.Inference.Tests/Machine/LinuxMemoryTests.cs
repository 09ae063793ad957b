using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class LinuxMemoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("llama3perf-memory-").FullName;

    public LinuxMemoryTests() => Write("proc/meminfo", "MemTotal: 4000 kB\nMemAvailable: 2000 kB\n");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Without_a_limit_it_is_what_the_machine_has_left() => Assert.Equal(2000 * 1024, Available());

    [Theory]
    [InlineData("0::/app/job", "sys/fs/cgroup/app")]
    [InlineData("0::/of/the/host", "sys/fs/cgroup")]
    public void A_limit_counts_wherever_it_stands_above_the_process(string line, string group)
    {
        Write("proc/self/cgroup", line + "\n");
        Write($"{group}/memory.max", "100000\n");
        Write($"{group}/memory.current", "70000\n");
        Write($"{group}/memory.stat", "anon 20000\ninactive_file 40000\n");

        Assert.Equal(70000, Available());
    }

    [Fact]
    public void The_first_version_of_control_groups_is_heeded_too()
    {
        Write("proc/self/cgroup", "5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n");
        Write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "100000\n");
        Write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "70000\n");

        Assert.Equal(30000, Available());
    }

    [Theory]
    [InlineData("max", 2000 * 1024)]
    [InlineData("9223372036854771712", 2000 * 1024)]
    [InlineData("10", 0)]
    public void No_limit_and_a_limit_that_is_passed_are_told_apart(string limit, long expected)
    {
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", limit);
        Write("sys/fs/cgroup/memory.current", "70000");

        Assert.Equal(expected, Available());
    }

    private long? Available() => new LinuxMemory(_root).AvailableBytes();

    private void Write(string path, string text)
    {
        string file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
