namespace Llama3Perf.Tests;

/// <summary>Where tests find files outside their own folder.</summary>
internal static class Fixtures
{
    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path under the shared fixtures. They are not part of a clone: where they are absent the test is skipped, and says
    /// so.</summary>
    public static string Shared(params string[] parts) => Beside("fixtures", parts);

    /// <summary>A path under the shared libraries for GPUs; skipped like <see cref="Shared"/>.</summary>
    public static string SharedGpu(params string[] parts) => Beside("gpu", parts);

    private static string Beside(string name, string[] parts)
    {
        string folder = Path.GetFullPath(Path.Combine(Root, "..", "shared", name));
        Assert.SkipUnless(Directory.Exists(folder), $"../shared/{name} is not beside this clone");
        return Path.Combine([folder, .. parts]);
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Llama3Perf.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests do not run from inside a clone: no Llama3Perf.sln above them.");
    }
}
