using System.Runtime.ExceptionServices;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>
/// Reads runs back. A file is read whole or not at all: one that another program saved again, that was cut off or that holds a cell
/// out of place is refused with one line that names file, row and column.
/// </summary>
public static class RunReader
{
    /// <summary>Reads every run that a path stands for.</summary>
    /// <param name="path">A run folder, a samples.csv, or a pattern of such paths (<c>baselines/*</c>).</param>
    /// <param name="withTokens">Also fills <see cref="Sample.TokenMs"/> from tokens.csv where the run folder has one; it is the largest
    /// file.</param>
    /// <param name="metrics">The metrics that are wanted, by name: the others may be unknown in what is read, which then takes a fraction
    /// of the memory. Null reads all. What tells whether a machine was fit to measure is always read.</param>
    /// <returns>At least one run; those of a pattern sorted by path.</returns>
    /// <exception cref="RunFileException">There is no run, or one is not readable.</exception>
    public static IReadOnlyList<Run> Read(string path, bool withTokens = false, IReadOnlyCollection<string>? metrics = null) =>
        Read([path], withTokens, metrics);

    /// <summary>Reads every run that several paths stand for, in their order.</summary>
    /// <exception cref="RunFileException">There is no run, or one is not readable; the first of them.</exception>
    public static IReadOnlyList<Run> Read(
        IReadOnlyCollection<string> paths,
        bool withTokens = false,
        IReadOnlyCollection<string>? metrics = null
    )
    {
        SampleNeeds needs = new(withTokens, metrics?.Concat(CaseFitness.Metrics).ToHashSet(StringComparer.Ordinal));
        (string Path, IReadOnlyList<string> Found)[] found = [.. paths.Select(path => (path, RunPaths.Find(path)))];
        (Run? Run, RunFileException? Error)[] read =
        [
            .. found.SelectMany(path => path.Found).AsParallel().AsOrdered().Select(path => TryReadOne(path, needs)),
        ];
        LargeRuns.GiveBack();
        if (Array.Find(read, one => one.Error is not null).Error is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }

        Queue<Run> runs = new(read.Select(one => one.Run!));
        return [.. found.SelectMany(path => Remarked([.. path.Found.Select(_ => runs.Dequeue())], RunPaths.Skipped(path.Path)))];
    }

    private static (Run? Run, RunFileException? Error) TryReadOne(string path, SampleNeeds needs)
    {
        try
        {
            return (ReadOne(path, needs), null);
        }
        catch (RunFileException exception)
        {
            return (null, exception);
        }
    }

    // A pattern takes the runs among what it matches; that some folders are none is told with the first.
    private static IReadOnlyList<Run> Remarked(IReadOnlyList<Run> runs, IReadOnlyList<string> skipped) =>
        skipped.Count == 0
            ? runs
            :
            [
                runs[0] with
                {
                    Remarks =
                    [
                        .. runs[0].Remarks,
                        .. skipped.Select(folder => $"{folder} matches too and was skipped: it has no {RunFolder.Samples}"),
                    ],
                },
                .. runs.Skip(1),
            ];

    /// <summary>That no run is among them twice: a run compared with itself differs in nothing.</summary>
    /// <exception cref="RunFileException">One is; the message names both places.</exception>
    public static void RequireDistinct(IEnumerable<Run> runs)
    {
        Dictionary<string, Run> seen = [];
        foreach (Run run in runs)
        {
            if (!seen.TryAdd(run.Identity.RunId, run))
            {
                throw new RunFileException(
                    $"{run.Source} is run {run.Identity.RunId}, and so is {seen[run.Identity.RunId].Source}; name each run once"
                );
            }
        }
    }

    private static Run ReadOne(string path, SampleNeeds needs)
    {
        if (!Directory.Exists(path))
        {
            // A run's own samples.csv has the results beside it, which know what failed.
            string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, RunFolder.Results);
            bool isOfFolder = Path.GetFileName(path) == RunFolder.Samples && File.Exists(beside);
            return SampleFile.Read(path, needs).ToRun(path, isOfFolder ? ReadResults(beside) : []);
        }

        SampleFile samples = SampleFile.Read(Path.Combine(path, RunFolder.Samples), needs, mayBeEmpty: true);
        string tokens = Path.Combine(path, RunFolder.Tokens);
        if (needs.WithTokens && File.Exists(tokens))
        {
            samples.AddTokens(tokens);
        }

        string results = Path.Combine(path, RunFolder.Results);
        return samples.ToRun(path, File.Exists(results) ? ReadResults(results) : []);
    }

    private static List<ResultRow> ReadResults(string path)
    {
        using TableReader<ResultRow> reader = new(ResultSchema.Table, path);
        List<ResultRow> rows = [];
        HashSet<string> ids = [];
        while (reader.Read() is { } row)
        {
            if (!ids.Add(row.CaseId))
            {
                throw reader.Error("case_id", $"'{row.CaseId}' stands in a row above already");
            }

            rows.Add(row);
            reader.CheckSame(row, rows[0], r => r.Run, RunColumns.Identity);
            reader.CheckSame(row, rows[0], r => r.Environment, RunColumns.Environment);
        }

        return rows;
    }
}
