using System.Text.RegularExpressions;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>BenchmarkDotNet's own files in the folder of a run: its log and its exports.</summary>
internal static partial class BenchmarkDotNetFiles
{
    /// <summary>Puts the exports, which it writes one folder deeper, beside the run's files, and takes home paths out of all: they name the
    /// folders that it built in.</summary>
    public static void Gather(string run)
    {
        string exports = Path.Combine(run, "results");
        if (Directory.Exists(exports))
        {
            foreach (string file in Directory.EnumerateFiles(exports))
            {
                File.Move(file, Path.Combine(run, Path.GetFileName(file)), overwrite: true);
            }

            Directory.Delete(exports, recursive: true);
        }

        foreach (string file in Directory.EnumerateFiles(run).Where(file => Name().IsMatch(file)))
        {
            string text = File.ReadAllText(file);
            string shown = HomePaths.Shown(text);
            if (shown != text)
            {
                File.WriteAllText(file, shown);
            }
        }
    }

    [GeneratedRegex(
        @"(-report(-full|-github)?\.(json|md|csv|html)|\.log)$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Name();
}
