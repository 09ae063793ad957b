using System.Reflection.PortableExecutable;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>What a build puts beside the program, which BenchmarkDotNet copies once more in every run.</summary>
public sealed class OutputFolderTests
{
    [Fact]
    public void Native_files_are_those_of_this_system() =>
        Assert.DoesNotContain(Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories), IsOfAnotherSystem);

    private static bool IsOfAnotherSystem(string path) =>
        Path.GetExtension(path) switch
        {
            ".so" => !OperatingSystem.IsLinux(),
            ".dylib" => !OperatingSystem.IsMacOS(),
            ".dll" => !OperatingSystem.IsWindows() && IsNative(path),
            _ => false,
        };

    private static bool IsNative(string path)
    {
        using PEReader reader = new(File.OpenRead(path));
        return !reader.HasMetadata;
    }
}
