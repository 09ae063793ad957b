namespace Llama3Perf.Models.Tests;

/// <summary>
/// Text that must not change by accident, kept beside the tests. With LLAMA3PERF_UPDATE_GOLDEN=1 the files are written instead of
/// compared, and the difference is reviewed as part of the change.
/// </summary>
internal static class Golden
{
    public static void Check(string file, string actual)
    {
        string path = Path.Combine(Fixtures.Root, "tests", "Llama3Perf.Models.Tests", "Golden", file);
        if (Environment.GetEnvironmentVariable("LLAMA3PERF_UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Assert.True(File.Exists(path), $"{path} is missing. Run the tests with LLAMA3PERF_UPDATE_GOLDEN=1 and review it.");
        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), actual, ignoreLineEndingDifferences: true);
    }
}
