namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>A run of five cases, two launches each, that something ends before its time.</summary>
internal static class EndedRun
{
    private static readonly string[] s_run =
    [
        "run",
        "--engine",
        "ort",
        "--isolation",
        "none",
        "--model",
        "llama-tiny",
        "--precision",
        "int4",
        "--prompt",
        "pp8",
        "--max-length",
        "40,41,42,43,44",
        "--launches",
        "2",
        "--iterations",
        "3",
        "--warmup",
        "0",
    ];

    /// <summary>Starts the run and sends it the signal once it has so many launches.</summary>
    /// <param name="folder">Current directory of the run.</param>
    /// <param name="path">Its output folder.</param>
    /// <param name="signal">Name of the signal.</param>
    /// <param name="afterLaunches">Launches in its journal.</param>
    public static (int ExitCode, string Error) End(string folder, string path, string signal, int afterLaunches)
    {
        for (int attempt = 1; ; attempt++)
        {
            (int exitCode, string output, string error) = TryToEnd(folder, path, signal, afterLaunches);
            if (exitCode != 0)
            {
                return (exitCode, error);
            }

            // On a busy machine the run may be over before this process is given its turn.
            Assert.True(attempt < 5, output + error);
            Directory.Delete(path, recursive: true);
        }
    }

    private static (int ExitCode, string Output, string Error) TryToEnd(string folder, string path, string signal, int afterLaunches)
    {
        using ProgramProcess process = new(folder, [.. s_run, "--output", path]);
        string journal = Path.Combine(path, "journal.jsonl");
        while (!process.HasEnded && (!File.Exists(journal) || LineCount(journal) < afterLaunches))
        {
            Thread.Sleep(2);
        }

        process.Signal(signal);
        return process.Wait();
    }

    private static int LineCount(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using StreamReader reader = new(file);
        return reader.ReadToEnd().Count(c => c == '\n');
    }
}
