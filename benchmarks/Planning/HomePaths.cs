using System.Text.RegularExpressions;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>
/// Paths as result files show them: the home folder is <c>~</c>, for it names a person, and a library of the program itself is relative to
/// it. With <c>--keep-paths</c> everything stays as it is, in this process and in its children.
/// </summary>
internal static partial class HomePaths
{
    /// <summary>Environment variable that says that paths stay as they are.</summary>
    public const string KeepVariable = "LLAMA3PERF_KEEP_PATHS";

    private static bool AreKept => Environment.GetEnvironmentVariable(KeepVariable) == "1";

    /// <summary>A text with <c>~</c> for the home folder, where a path begins with it.</summary>
    public static string Shown(string text) => AreKept ? text : Replace(text, "~");

    /// <summary>A run as its files show it.</summary>
    public static Run Shown(Run run) =>
        run with
        {
            Cases =
            [
                .. run.Cases.Select(outcome =>
                    outcome with
                    {
                        Error = outcome.Error is { } error ? Shown(error) : null,
                        Notes = [.. outcome.Notes.Select(Shown)],
                    }
                ),
            ],
        };

    /// <summary>A native library's path: relative to the measuring program where it is one of its own.</summary>
    public static string OfLibrary(string path)
    {
        string program = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory) + Path.DirectorySeparatorChar;
        return !AreKept && path.StartsWith(program, StringComparison.Ordinal)
            ? path[program.Length..].Replace(Path.DirectorySeparatorChar, '/')
            : Shown(path);
    }

    /// <summary>An argument that <see cref="Expand"/> gives back exactly, here and for another user's home folder: a tilde that was there
    /// stands twice.</summary>
    public static string Collapse(string argument) => Replace(argument.Replace("~", "~~", StringComparison.Ordinal), "~");

    /// <summary>The argument that <see cref="Collapse"/> was given.</summary>
    public static string Expand(string argument) => Tildes().Replace(argument, match => match.Length == 2 ? "~" : Home ?? "~");

    private static string? Home =>
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 1 } home
            ? Path.TrimEndingDirectorySeparator(home)
            : null;

    // Not within a longer path or name: of /mnt/home/x and /home/xy nothing is /home/x.
    private static string Replace(string text, string with)
    {
        if (Home is not { } home || text.Length < home.Length)
        {
            return text;
        }

        RegexOptions options = RegexOptions.CultureInvariant | (OperatingSystem.IsWindows() ? RegexOptions.IgnoreCase : RegexOptions.None);
        // In JSON a backslash stands twice.
        string pattern = Regex.Escape(home).Replace(@"\\", @"\\{1,2}", StringComparison.Ordinal);
        return Regex.Replace(text, $@"(?<![\w.~/\\-]){pattern}(?![\w.~-])", with, options, TimeSpan.FromSeconds(10));
    }

    [GeneratedRegex("~~?", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tildes();
}
