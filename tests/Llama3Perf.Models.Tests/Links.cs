namespace Llama3Perf.Models.Tests;

/// <summary>Links to files and folders; a test is skipped where this user or this system makes none.</summary>
internal static class Links
{
    public static void ToFile(string path, string target) => Make(() => File.CreateSymbolicLink(path, target), new FileInfo(path));

    public static void ToFolder(string path, string target) =>
        Make(() => Directory.CreateSymbolicLink(path, target), new DirectoryInfo(path));

    private static void Make(Func<FileSystemInfo> create, FileSystemInfo link)
    {
        try
        {
            create();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"this user cannot create links: {e.Message}");
        }

        // Wine up to 10 says that it made one and makes nothing.
        Assert.SkipWhen(link.LinkTarget is null, "this system says that it creates links, and does not");
    }
}
