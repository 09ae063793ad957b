using System.Text.Json;
using System.Text.RegularExpressions;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>
/// The folder of a run, which carries a marker that the measuring process holds locked. A new run is measured where it will be found,
/// so that whatever ends it leaves its finished launches there. A run that replaces an older one is measured in a hidden folder beside
/// it, and takes its place when it is complete. A folder without a finished launch goes when its process does, or at the next start.
/// </summary>
internal sealed partial class RunOutput : IDisposable
{
    /// <summary>File that says that a folder is one of ours.</summary>
    public const string Marker = ".llama3perf";

    private readonly FileStream _lock;
    private bool _isComplete;
    private bool _isDiscarded;

    private RunOutput(string path, string workPath)
    {
        (Path, WorkPath) = (path, workPath);
        Directory.CreateDirectory(workPath);
        _lock = Hold(workPath);
        Journal = RunJournal.Open(System.IO.Path.Combine(workPath, "journal.jsonl"));
    }

    /// <summary>Where the run will be found.</summary>
    public string Path { get; }

    /// <summary>Where it is while it is incomplete.</summary>
    public string WorkPath { get; }

    public string PlanPath => System.IO.Path.Combine(WorkPath, "plan.json");

    /// <summary>The finished launches.</summary>
    public RunJournal Journal { get; }

    /// <summary>A folder for a new run.</summary>
    /// <param name="path">Where the run is wanted.</param>
    /// <param name="force">Replaces a folder without marker that holds nothing but files of the names that runs have.</param>
    /// <exception cref="RunFileException">Something else is there, or it cannot be written.</exception>
    public static RunOutput Create(string path, bool force = false)
    {
        path = Full(path);
        bool isThere = Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any();
        if (File.Exists(path) || (isThere && !MayReplace(path, force)))
        {
            string way = isThere && Directory.EnumerateFileSystemEntries(path).All(IsOurName) ? ", or replace it with --force" : "";
            throw new RunFileException($"{path} is there and is not a run folder of this suite; choose another --output{way}");
        }

        return Begin(
            path,
            isThere
                ? System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, $".{System.IO.Path.GetFileName(path)}.{Guid.NewGuid():N}")
                : path
        );
    }

    /// <summary>The folder of a run that was interrupted, to go on in.</summary>
    /// <exception cref="RunFileException">It is none, or it is being measured.</exception>
    public static RunOutput Resume(string path)
    {
        path = Full(path);
        return File.Exists(System.IO.Path.Combine(path, Marker)) && File.Exists(System.IO.Path.Combine(path, "journal.jsonl"))
            ? Begin(path, path)
            : throw new RunFileException($"--resume: {path} is not the folder of an interrupted run");
    }

    /// <summary>Seed of the order of the launches of a run that goes on; null for a new one.</summary>
    public int? Seed => File.Exists(BeginningPath) ? RunBeginning.Read(BeginningPath).Seed : null;

    private string BeginningPath => System.IO.Path.Combine(WorkPath, "beginning.json");

    /// <summary>Writes what a later process needs to go on, or makes sure that the run is the one that was begun.</summary>
    /// <returns>The run's identity: of a run that goes on, the one it has.</returns>
    /// <exception cref="RunFileException">Something is not as it was when the run began.</exception>
    public RunIdentity Begin(RunIdentity identity, MachineInfo machine, SuitePlan plan, int? seed = null)
    {
        RunBeginning now = new(
            identity.RunId,
            identity.TestTime,
            identity.BuildCommit,
            machine.MachineId,
            [.. plan.Cases.Select(planned => planned.Key)],
            seed
        );
        if (!File.Exists(BeginningPath))
        {
            File.WriteAllText(BeginningPath, JsonSerializer.Serialize(now));
            RunInvocation.OfThisProcess.Write(WorkPath);
        }

        RunBeginning then = RunBeginning.Read(BeginningPath);
        if (then.WhyNot(now) is { } reason)
        {
            throw new RunFileException($"{WorkPath} cannot be gone on with: {reason}; measure it anew");
        }

        plan.Write(PlanPath);
        return new RunIdentity(then.RunId, then.TestTime, then.BuildCommit);
    }

    /// <summary>Removes what killed processes left in a folder of runs: work without a finished launch.</summary>
    /// <returns>Runs that were killed and hold finished launches.</returns>
    public static IReadOnlyList<string> CleanUp(string folder)
    {
        List<string> interrupted = [];
        foreach (string run in Directory.Exists(folder) ? Directory.GetDirectories(folder) : [])
        {
            string journal = System.IO.Path.Combine(run, "journal.jsonl");
            if (!File.Exists(System.IO.Path.Combine(run, Marker)) || !File.Exists(journal) || !IsFree(run))
            {
                continue;
            }

            if (new FileInfo(journal).Length > 0)
            {
                interrupted.Add(run);
            }
            else
            {
                Remove(run);
            }
        }

        return interrupted;
    }

    /// <summary>Writes what there is so far, over what was written before.</summary>
    public void Write(Run run) => RunWriter.Write(run, WorkPath);

    /// <summary>Writes the run's files and gives the folder its name, in place of an earlier run there.</summary>
    public void Complete(Run run)
    {
        if (run.Cases.Count > 0)
        {
            RunWriter.Write(run, WorkPath);
        }

        LiftBenchmarkDotNetExports();
        Journal.Dispose();
        File.Delete(System.IO.Path.Combine(WorkPath, "journal.jsonl"));
        File.Delete(PlanPath);
        File.Delete(BeginningPath);
        _isComplete = true;
        _lock.Dispose();
        if (WorkPath == Path)
        {
            return;
        }

        // The older run goes when the new one stands in its place.
        string old = WorkPath + ".old";
        Directory.Move(Path, old);
        Directory.Move(WorkPath, Path);
        Directory.Delete(old, recursive: true);
    }

    /// <summary>Keeps nothing of the run.</summary>
    public void Discard() => _isDiscarded = true;

    public void Dispose()
    {
        bool isEmpty = !_isComplete && (_isDiscarded || Journal.Launches.Count == 0);
        Journal.Dispose();
        _lock.Dispose();
        if (isEmpty)
        {
            Remove(WorkPath);
        }
    }

    private static string Full(string path)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        return new DirectoryInfo(path).LinkTarget is null ? path : Directory.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
    }

    private static RunOutput Begin(string path, string workPath)
    {
        try
        {
            return new RunOutput(path, workPath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFileException($"cannot write to {path}: {exception.Message}; choose another --output", exception);
        }
    }

    private static bool MayReplace(string path, bool force) =>
        File.Exists(System.IO.Path.Combine(path, Marker))
            ? IsFree(path)
            : force && Directory.EnumerateFileSystemEntries(path).All(IsOurName);

    // The lock belongs to a process and ends with it: no number that another process could be given again.
    private static FileStream Hold(string folder)
    {
        FileStream marker = new(System.IO.Path.Combine(folder, Marker), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        if (marker.Length == 0)
        {
            marker.Write("A run of Llama3Perf. The suite replaces folders with this file.\n"u8);
            marker.Flush();
        }

        return marker;
    }

    private static bool IsFree(string folder)
    {
        try
        {
            Hold(folder).Dispose();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsOurName(string entry) => OurName().IsMatch(System.IO.Path.GetFileName(entry));

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
            File.Move(file, System.IO.Path.Combine(WorkPath, System.IO.Path.GetFileName(file)), overwrite: true);
        }

        Directory.Delete(exports, recursive: true);
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A child that dies at this moment still holds its log open; the next start removes the folder.
        }
    }

    [GeneratedRegex(
        @"^(results\.(csv|md)|samples\.csv|tokens\.csv|invocation\.json|plan\.json|beginning\.json|journal\.jsonl|results|"
            + @".*-report(-full|-github)?\.(json|md|csv|html)|.*\.log)$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex OurName();
}
