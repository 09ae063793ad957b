using Llama3Perf.Benchmarks.Engines.LlamaBench;
using Llama3Perf.Benchmarks.Tests.Commands;

namespace Llama3Perf.Benchmarks.Tests.Engines.LlamaBench;

/// <summary>Changes the PATH, so it does not run beside others that start programs.</summary>
[Collection(nameof(CliSession))]
public sealed class LlamaBenchProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-llama-find-").FullName;
    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void It_is_the_given_file_or_on_the_path()
    {
        string file = Path.Combine(_folder, OperatingSystem.IsWindows() ? "llama-bench.exe" : "llama-bench");
        Assert.Null(LlamaBenchProgram.Find(file));
        File.WriteAllText(file, "");

        Assert.Equal(file, LlamaBenchProgram.Find(file));
        Assert.Null(LlamaBenchProgram.Find(Path.Combine(_folder, "other")));
        Environment.SetEnvironmentVariable("PATH", _folder + Path.PathSeparator + _path);
        Assert.Equal(file, LlamaBenchProgram.Find(null));
        Assert.Equal(file, LlamaBenchProgram.Find("llama-bench"));
    }
}
