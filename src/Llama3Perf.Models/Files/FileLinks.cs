namespace Llama3Perf.Models.Files;

/// <summary>Follows links and ways up, so that a model from elsewhere cannot have any file of the machine read as its own.</summary>
internal static class FileLinks
{
    private const int MaxLinks = 40;

    private static readonly char[] s_separators = [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar];

    /// <summary>Refuses a file whose bytes lie neither in its folder nor in the blobs of the same hub cache entry.</summary>
    /// <exception cref="ModelException">The path or a link leads elsewhere.</exception>
    public static void Check(string folder, string file)
    {
        string home = RealPath(folder);
        string target = RealPath(file);
        if (!Lies(target, home) && !(HubCache.Blobs(home) is { } blobs && Lies(target, blobs)))
        {
            string where = Lies(Path.GetFullPath(file), Path.GetFullPath(folder)) ? $"is a link to '{Shown.Text(target)}'" : "lies";
            throw new ModelException($"{Shown.Text(file)} {where} outside the folder. Copy the file into the folder.");
        }
    }

    /// <summary>The absolute path without links. What does not exist stays as it is.</summary>
    internal static string RealPath(string path)
    {
        string full = Path.GetFullPath(path);
        string current = Path.GetPathRoot(full)!;
        var rest = new Stack<string>();
        Push(rest, full[current.Length..]);
        int links = 0;
        while (rest.TryPop(out string? part))
        {
            string next = part == ".." ? Path.GetDirectoryName(current) ?? current : Path.Combine(current, part);
            string? target = part == ".." ? null : Target(next);
            if (target is null)
            {
                current = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                throw new ModelException($"{Shown.Text(path)} is a link that leads back to itself. Copy the file into the folder.");
            }

            if (Path.IsPathRooted(target))
            {
                target = Path.GetFullPath(target);
                current = Path.GetPathRoot(target)!;
                target = target[current.Length..];
            }

            Push(rest, target);
        }

        return current;
    }

    private static string? Target(string path) =>
        Directory.Exists(path) ? new DirectoryInfo(path).LinkTarget : new FileInfo(path).LinkTarget;

    private static void Push(Stack<string> rest, string path)
    {
        foreach (string part in path.Split(s_separators, StringSplitOptions.RemoveEmptyEntries).Reverse())
        {
            if (part != ".")
            {
                rest.Push(part);
            }
        }
    }

    private static bool Lies(string file, string folder) =>
        file.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
