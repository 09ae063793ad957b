namespace Llama3Perf.Models.Files;

/// <summary>
/// The folders that Hugging Face's tools download into: <c>models--ORGANISATION--NAME/snapshots/COMMIT</c>, whose files are
/// links into <c>models--ORGANISATION--NAME/blobs</c>.
/// </summary>
internal static class HubCache
{
    private const string EntryPrefix = "models--";

    /// <summary>The snapshot that an entry's folder leads to: the commit that <c>refs/main</c> names, else the newest. Any other folder is
    /// itself.</summary>
    public static string Resolve(string folder)
    {
        string snapshots = Path.Combine(folder, "snapshots");
        if (!IsEntry(folder) || !Directory.Exists(snapshots))
        {
            return folder;
        }

        string main = Path.Combine(folder, "refs", "main");
        string? named =
            File.Exists(main) && InputFile.Length(main) is > 0 and < InputFile.MaxTextBytes
                ? Path.Combine(snapshots, Path.GetFileName(File.ReadAllText(main).Trim()))
                : null;
        return Directory.Exists(named) ? named : Directory.EnumerateDirectories(snapshots).MaxBy(Directory.GetLastWriteTimeUtc) ?? folder;
    }

    /// <summary>The model's name when the folder is a snapshot, else null.</summary>
    public static string? ModelName(string folder) =>
        Entry(folder) is { } entry && IsEntry(entry) ? Path.GetFileName(entry)[EntryPrefix.Length..].Split("--")[^1] : null;

    /// <summary>The folder that a snapshot's links lead into; null when the folder is no snapshot.</summary>
    public static string? Blobs(string folder) =>
        Entry(folder) is { } entry && Path.Combine(entry, "blobs") is { } blobs && Directory.Exists(blobs) ? blobs : null;

    private static bool IsEntry(string folder) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)).StartsWith(EntryPrefix, StringComparison.Ordinal);

    // Copies of an entry have other names; what makes one is its two folders.
    private static string? Entry(string folder)
    {
        string? snapshots = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(folder));
        return Path.GetFileName(snapshots) == "snapshots" ? Path.GetDirectoryName(snapshots) : null;
    }
}
