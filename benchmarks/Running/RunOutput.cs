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

    /// <summary>End of the name of a run that is being replaced.</summary>
    public const string Old = ".old";

    private const int Attempts = 20;

    private readonly FileStream _lock;
    private bool _isComplete;
    private bool _isDiscarded;

    private RunOutput(string path, string workPath)
    {
        (Path, WorkPath) = (path, workPath);
        Directory.CreateDirectory(workPath);
        _lock = HoldPatiently(workPath);
        Journal = RunJournal.Open(System.IO.Path.Combine(workPath, RunFolder.Journal));
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

    /// <summary>The folder of a run that was interrupted, to go on in; one that was to replace another does so at its end.</summary>
    /// <exception cref="RunFileException">It is none, it is being measured, or what it was to replace is no run any more.</exception>
    public static RunOutput Resume(string path)
    {
        path = Full(path);
        // A pipe has no length, and a journal of nothing nothing to go on from.
        return
            File.Exists(System.IO.Path.Combine(path, Marker))
            && new FileInfo(System.IO.Path.Combine(path, RunFolder.Journal)) is { Exists: true, Length: > 0 }
            ? Begin(PlaceOf(path), path)
            : throw new RunFileException($"--resume: {path} is not the folder of an interrupted run");
    }

    /// <summary>Seed of the order of the launches of a run that goes on; null for a new one.</summary>
    public int? Seed => File.Exists(BeginningPath) ? RunBeginning.Read(BeginningPath).Seed : null;

    private string BeginningPath => System.IO.Path.Combine(WorkPath, "beginning.json");

    private static string PlaceOf(string work)
    {
        string path = RunCleanup.TargetOf(work) ?? work;
        return path == work || !Directory.Exists(path) || MayReplace(path, force: false)
            ? path
            : throw new RunFileException($"--resume: {work} was to replace {path}, which is no run folder any more; move one of them");
    }

    /// <summary>Writes what a later process needs to go on, or makes sure that the run is the one that was begun.</summary>
    /// <returns>The run's identity: of a run that goes on, the one it has.</returns>
    /// <exception cref="RunFileException">Something is not as it was when the run began.</exception>
    public RunIdentity Begin(RunIdentity identity, MachineInfo machine, SuitePlan plan, int? seed = null, bool keepPaths = false)
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
            RunInvocation.OfThisProcess.Write(WorkPath, keepPaths);
        }

        RunBeginning then = RunBeginning.Read(BeginningPath);
        if (then.WhyNot(now) is { } reason)
        {
            throw new RunFileException($"{WorkPath} cannot be gone on with: {reason}; measure it anew");
        }

        plan.Write(PlanPath);
        return new RunIdentity(then.RunId, then.TestTime, then.BuildCommit) { Label = identity.Label };
    }

    /// <summary>Gives the folder of a run whose files are written its name, in place of an earlier run there.</summary>
    public void Complete()
    {
        BenchmarkDotNetFiles.Gather(WorkPath);
        Journal.Dispose();
        File.Delete(System.IO.Path.Combine(WorkPath, RunFolder.Journal));
        File.Delete(PlanPath);
        File.Delete(BeginningPath);
        _isComplete = true;
        _lock.Dispose();
        if (WorkPath == Path)
        {
            return;
        }

        TakePlace(WorkPath, Path);
    }

    /// <summary>Puts a complete run where it is wanted. The older one goes when the new one stands in its place.</summary>
    public static void TakePlace(string work, string path)
    {
        string old = work + Old;
        if (Directory.Exists(path))
        {
            Directory.Move(path, old);
        }

        Directory.Move(work, path);
        if (Directory.Exists(old))
        {
            Directory.Delete(old, recursive: true);
        }
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
            RunCleanup.Remove(WorkPath);
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

    // A process that was killed may take a moment to be gone.
    private static FileStream HoldPatiently(string folder)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return Hold(folder);
            }
            catch (IOException) when (attempt < Attempts)
            {
                Thread.Sleep(50);
            }
        }
    }

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

    /// <summary>True when no process measures into a folder of ours.</summary>
    public static bool IsFree(string folder)
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

    [GeneratedRegex(
        @"^(results\.(csv|md)|samples\.csv|tokens\.csv|invocation\.json|plan\.json|beginning\.json|journal\.jsonl|results|"
            + @".*-report(-full|-github)?\.(json|md|csv|html)|.*\.log)$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex OurName();
}
