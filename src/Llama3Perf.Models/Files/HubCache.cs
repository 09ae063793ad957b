namespace Llama3Perf.Models.Files;

/// <summary>
/// The folders that Hugging Face's tools download into: <c>models--ORGANISATION--NAME/snapshots/COMMIT</c>, whose files are
/// links into <c>models--ORGANISATION--NAME/blobs</c>.
/// </summary>
internal static class HubCache
{
    private const string EntryPrefix = "models--";

    /// <summary>The model's name when the folder is a snapshot, else null.</summary>
    public static string? ModelName(string folder) =>
        Entry(folder) is { } entry ? Path.GetFileName(entry)[EntryPrefix.Length..].Split("--")[^1] : null;

    /// <summary>The folder that a snapshot's links lead into; null when the folder is no snapshot.</summary>
    public static string? Blobs(string folder) => Entry(folder) is { } entry ? Path.Combine(entry, "blobs") : null;

    private static string? Entry(string folder)
    {
        string? snapshots = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(folder));
        string? entry = Path.GetDirectoryName(snapshots);
        return Path.GetFileName(snapshots) == "snapshots" && Path.GetFileName(entry)!.StartsWith(EntryPrefix, StringComparison.Ordinal)
            ? entry
            : null;
    }
}
