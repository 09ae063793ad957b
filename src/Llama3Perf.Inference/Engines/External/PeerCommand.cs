using System.Text.RegularExpressions;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>A program named on the command line: a file, or a command with arguments.</summary>
public static partial class PeerCommand
{
    /// <summary>Program and arguments, or null: no file of that name, and no program that the first word names.</summary>
    /// <param name="text">A path, spaces allowed, or words; double quotes hold a word together.</param>
    public static IReadOnlyList<string>? Parse(string text)
    {
        if (File.Exists(text))
        {
            return [Path.GetFullPath(text)];
        }

        string[] words =
        [
            .. Word().Matches(text).Select(match => match.Groups["quoted"].Success ? match.Groups["quoted"].Value : match.Value),
        ];
        return words.Length > 0 && Find(words[0]) is { } program ? [program, .. words[1..]] : null;
    }

    /// <summary>The file that a path, or a name on the PATH, stands for; null when there is none.</summary>
    public static string? Find(string program)
    {
        if (program.AsSpan().IndexOfAny('/', '\\') >= 0 || Path.IsPathRooted(program))
        {
            return File.Exists(program) ? Path.GetFullPath(program) : null;
        }

        string[] endings = OperatingSystem.IsWindows() ? ["", ".exe", ".cmd", ".bat"] : [""];
        return (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => endings.Select(ending => Path.Combine(folder, program + ending)))
            .FirstOrDefault(File.Exists);
    }

    [GeneratedRegex(
        """
            "(?<quoted>[^"]*)"|\S+
            """,
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Word();
}
