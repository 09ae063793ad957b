using System.Diagnostics;

namespace Llama3Perf.Benchmarks.Tests.Workflows;

/// <summary>Two commits in a folder of their own: this source, and the same with a decode loop that takes a tenth longer.</summary>
internal sealed class ScratchRepository : IDisposable
{
    private const string DecodeLoop = "src/Llama3Perf.Inference/Engines/Ort/HostLoop.cs";
    private const string Step = "        _decode.Compute(_runOptions);\n        _last = _decode;\n";

    private const string SlowedStep = """
                long begun = System.Diagnostics.Stopwatch.GetTimestamp();
                _decode.Compute(_runOptions);
                long end = begun + ((System.Diagnostics.Stopwatch.GetTimestamp() - begun) * 112 / 100);
                while (System.Diagnostics.Stopwatch.GetTimestamp() < end) { }
                _last = _decode;

        """;

    public ScratchRepository()
    {
        Folder = Directory.CreateTempSubdirectory("l3p-workflow-").FullName;
        string origin = Path.Combine(Folder, "origin");
        foreach (string file in Git(Root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Split('\0').Where(IsThere))
        {
            string target = Path.Combine(origin, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(Root, file), target);
        }

        Git(origin, "init", "--quiet", "--initial-branch", "main");
        Commit(origin, "As it is");
        Git(Folder, "clone", "--quiet", "origin", "base");
        string loop = Path.Combine(origin, DecodeLoop);
        string source = File.ReadAllText(loop);
        Assert.Contains(Step, source, StringComparison.Ordinal);
        File.WriteAllText(loop, source.Replace(Step, SlowedStep, StringComparison.Ordinal));
        Commit(origin, "Slower");
        Git(Folder, "clone", "--quiet", "origin", "head");
    }

    /// <summary>Holds <c>base</c> and <c>head</c>, a checkout of each commit.</summary>
    public string Folder { get; }

    /// <summary>The clone that these tests were built in.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Runs a script as a workflow's step does.</summary>
    public (int ExitCode, string Output) Run(string script, string directory, IReadOnlyDictionary<string, string> variables)
    {
        ProcessStartInfo start = new("bash", ["-e", "-o", "pipefail", "-c", $"exec 2>&1\n{script}"])
        {
            WorkingDirectory = Path.Combine(Folder, directory),
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in variables)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    public void Dispose()
    {
        foreach (string file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            // Git keeps its objects read-only.
            File.SetAttributes(file, FileAttributes.Normal);
        }

        Directory.Delete(Folder, recursive: true);
    }

    private static bool IsThere(string file) => file.Length > 0 && File.Exists(Path.Combine(Root, file));

    private static void Commit(string folder, string message)
    {
        Git(folder, "add", "--all");
        Git(folder, "-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message", message);
    }

    private static string Git(string folder, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo("git", arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Llama3Perf.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("These tests were not built in a clone.");
    }
}
