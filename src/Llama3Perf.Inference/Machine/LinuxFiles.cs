namespace Llama3Perf.Inference.Machine;

/// <summary>Files below a root, each of which may be absent or refused.</summary>
internal sealed class LinuxFiles(string root)
{
    /// <summary>The text without white space at its ends; null where there is none.</summary>
    public string? Read(string path) =>
        MachineProbe.Ask(() => File.Exists(At(path)) && File.ReadAllText(At(path)).Trim() is { Length: > 0 } text ? text : null);

    /// <summary>Lines of the first of these files that is there; none where none is.</summary>
    public IEnumerable<string> LinesOfFirst(params string[] paths) =>
        paths.Select(At).FirstOrDefault(File.Exists) is { } found ? File.ReadLines(found) : [];

    /// <summary>Paths of the folders in a folder, in ordinal order; links to folders count.</summary>
    public IReadOnlyList<string> Folders(string path) =>
        MachineProbe.Ask(() =>
            Directory.GetDirectories(At(path)).Select(found => $"{path}/{Path.GetFileName(found)}").Order(StringComparer.Ordinal).ToArray()
        ) ?? [];

    private string At(string path) => Path.Combine(root, path);
}
