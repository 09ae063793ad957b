namespace Llama3Perf.Results.Files;

/// <summary>From what a user names to the run folders and sample files that it stands for.</summary>
internal static class RunPaths
{
    /// <summary>Run folders and sample files; the folders all hold a samples.csv.</summary>
    /// <exception cref="RunFileException">There are none.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (Directory.Exists(path))
        {
            return HasRun(path) ? [path] : throw NoRun(path);
        }

        if (File.Exists(path))
        {
            return IsOtherFile(path)
                ? throw new RunFileException(
                    $"{path} does not hold the samples of a run; name its folder, or the {RunFolder.Samples} in it"
                )
                : [path];
        }

        if (!path.AsSpan().ContainsAny('*', '?'))
        {
            throw new RunFileException(
                $"{path} does not exist; name a run folder, a {RunFolder.Samples}, or a pattern such as 'results/*'"
            );
        }

        string[] runs =
        [
            .. Match(path).Where(found => Directory.Exists(found) ? HasRun(found) : IsSampleFile(found)).Order(StringComparer.Ordinal),
        ];
        return runs.Length > 0 ? runs : throw new RunFileException($"{path} matches no run folder and no {RunFolder.Samples}");
    }

    /// <summary>Folders that a pattern matches and that hold no run.</summary>
    public static IReadOnlyList<string> Skipped(string path) =>
        Path.Exists(path) || !path.AsSpan().ContainsAny('*', '?')
            ? []
            : [.. Match(path).Where(found => Directory.Exists(found) && !HasRun(found)).Order(StringComparer.Ordinal)];

    private static bool HasRun(string folder) => File.Exists(Path.Combine(folder, RunFolder.Samples));

    private static bool IsSampleFile(string path) => Path.GetExtension(path) == ".csv" && !IsOtherFile(path);

    private static bool IsOtherFile(string path) => Path.GetFileName(path) is RunFolder.Results or RunFolder.Tokens or RunFolder.Markdown;

    // A run that is killed while it writes down its first launch has a journal and no tables.
    private static RunFileException NoRun(string folder) =>
        new(
            File.Exists(Path.Combine(folder, RunFolder.Journal))
                ? $"{folder} holds an interrupted run that has no {RunFolder.Samples} yet; to go on with it: run --resume {folder}"
                : $"{folder} is not a run folder: it has no {RunFolder.Samples}"
        );

    /// <summary>Every existing path that the pattern matches, names that begin with a dot aside, as shells have it.</summary>
    private static IEnumerable<string> Match(string pattern)
    {
        string root = Path.GetPathRoot(pattern) ?? "";
        string[] names = pattern[root.Length..]
            .Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
        IEnumerable<string> found = [root];
        foreach (string name in names)
        {
            found = name.AsSpan().ContainsAny('*', '?')
                ? found.SelectMany(folder => Entries(folder, name)).ToArray()
                : found.Select(folder => Path.Combine(folder, name)).Where(Path.Exists);
        }

        return found;
    }

    private static IEnumerable<string> Entries(string folder, string name)
    {
        EnumerationOptions options = new()
        {
            MatchType = MatchType.Simple,
            MatchCasing = MatchCasing.PlatformDefault,
            AttributesToSkip = FileAttributes.None,
        };
        string start = folder.Length == 0 ? "." : folder;
        return Directory.Exists(start)
            ? Directory
                .EnumerateFileSystemEntries(start, name, options)
                .Select(entry => Path.Combine(folder, Path.GetFileName(entry)))
                .Where(entry => name[0] == '.' || Path.GetFileName(entry)[0] != '.')
            : [];
    }
}
