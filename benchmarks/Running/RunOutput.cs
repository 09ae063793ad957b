using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>
/// The folder of a run. Everything is written into a hidden folder beside it, which takes its name when the run is complete;
/// a run that breaks off leaves nothing.
/// </summary>
internal sealed class RunOutput : IDisposable
{
    private RunOutput(string path)
    {
        Path = path;
        WorkPath = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, $".{System.IO.Path.GetFileName(path)}.{Environment.ProcessId}");
        Console.CancelKeyPress += OnCancel;
    }

    /// <summary>Where the run will be found.</summary>
    public string Path { get; }

    /// <summary>Where it is while it is incomplete.</summary>
    public string WorkPath { get; }

    public string PlanPath => System.IO.Path.Combine(WorkPath, "plan.json");

    public static RunOutput Create(string path)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (File.Exists(path) || (Directory.Exists(path) && !File.Exists(System.IO.Path.Combine(path, RunFolder.Results)) && Directory.EnumerateFileSystemEntries(path).Any()))
        {
            throw new RunFileException($"{path} is there and is not a run folder; choose another --output");
        }

        RunOutput folder = new(path);
        try
        {
            Directory.CreateDirectory(folder.WorkPath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFileException($"cannot write to {path}: {exception.Message}; choose another --output", exception);
        }

        return folder;
    }

    /// <summary>Writes the run's files and gives the folder its name, in place of an earlier run there.</summary>
    public void Complete(Run run)
    {
        File.Delete(PlanPath);
        LiftBenchmarkDotNetExports();
        if (run.Cases.Count > 0)
        {
            RunWriter.Write(run, WorkPath);
            RunInvocation.OfThisProcess.Write(WorkPath);
        }

        TakePlace();
    }

    // The earlier run is gone only when the new one stands in its place.
    private void TakePlace()
    {
        string? earlier = Directory.Exists(Path) ? $"{WorkPath}.earlier" : null;
        if (earlier is not null)
        {
            Directory.Move(Path, earlier);
        }

        try
        {
            Directory.Move(WorkPath, Path);
        }
        catch when (earlier is not null)
        {
            Directory.Move(earlier, Path);
            throw;
        }

        if (earlier is not null)
        {
            Directory.Delete(earlier, recursive: true);
        }
    }

    public void Dispose()
    {
        Console.CancelKeyPress -= OnCancel;
        RemoveWork();
    }

    // BenchmarkDotNet puts its exports one folder deeper.
    private void LiftBenchmarkDotNetExports()
    {
        string exports = System.IO.Path.Combine(WorkPath, "results");
        if (!Directory.Exists(exports))
        {
            return;
        }

        foreach (string file in Directory.EnumerateFiles(exports))
        {
            File.Move(file, System.IO.Path.Combine(WorkPath, System.IO.Path.GetFileName(file)));
        }

        Directory.Delete(exports, recursive: true);
    }

    private void OnCancel(object? sender, ConsoleCancelEventArgs arguments) => RemoveWork();

    private void RemoveWork()
    {
        try
        {
            Directory.Delete(WorkPath, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // The run is complete.
        }
        catch (IOException)
        {
            // A child that dies at this moment still holds its log open; the hidden folder is all that stays.
        }
    }
}
