using System.Text.RegularExpressions;
using BenchmarkDotNet.Toolchains.Results;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Why BenchmarkDotNet could not build the measuring process: the one line that says it, among what it prints.</summary>
internal static partial class BuildFailure
{
    public static string Reason(BuildResult result)
    {
        string[] lines =
        [
            .. (result.ErrorMessage ?? result.GenerateException?.Message ?? "")
                .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Where(line => line.TrimEnd(':') is not ("Standard error" or "Standard output")),
        ];
        string? reason =
            Array.Find(lines, line => CompilerError().IsMatch(line))
            ?? Array.Find(
                lines,
                line =>
                    line.Contains("timeout", StringComparison.OrdinalIgnoreCase)
                    || line.Contains("timed out", StringComparison.OrdinalIgnoreCase)
            )
            ?? Array.Find(lines, line => line.Contains("error", StringComparison.OrdinalIgnoreCase))
            ?? lines.LastOrDefault();
        return $"{reason ?? "it does not say why"}; the log in the run's folder has it all";
    }

    [GeneratedRegex(@"\berror\s+[A-Z]+\d+\s*:", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CompilerError();
}
