using System.Text;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>What is wanted of the samples of a run; what is not wanted need not lie in memory.</summary>
/// <param name="WithTokens">Whether <see cref="Sample.TokenMs"/> is wanted.</param>
/// <param name="Metrics">The metrics that are wanted, by name; null for all. The others may be unknown in what is read.</param>
internal sealed record SampleNeeds(bool WithTokens, IReadOnlySet<string>? Metrics);

/// <summary>The samples of one samples.csv, by case in the order of the file.</summary>
internal sealed class SampleFile
{
    private readonly string _path;
    private readonly Dictionary<string, CaseSamples> _cases = [];
    private readonly List<CaseSamples> _order = [];
    private readonly string[] _remarks;
    private readonly StatisticColumn[] _missing;
    private readonly SampleNeeds _needs;
    private readonly bool _isCompact;
    private Sample? _first;

    // What an older file lacks is filled in from results.csv, sample by sample.
    private SampleFile(string path, int version, SampleNeeds needs) =>
        (_path, _remarks, _missing, _needs, _isCompact) = (
            path,
            [.. KeysSince(version, path)],
            [.. ResultSchema.Statistics.Where(column => column.Source.Since > version)],
            needs,
            !needs.WithTokens && version == SchemaVersion.Current
        );

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="needs">What is wanted of them.</param>
    /// <param name="mayBeEmpty">True when a results.csv beside it can say that nothing was measured.</param>
    /// <exception cref="RunFileException">It is not a readable samples.csv of one run.</exception>
    public static SampleFile Read(string path, SampleNeeds needs, bool mayBeEmpty = false)
    {
        using TableReader<Sample> reader = new(SampleSchema.Table, path);
        SampleFile file = new(path, reader.Version, needs);
        while (reader.Read() is { } sample)
        {
            file.Add(sample, reader);
        }

        return file._first is not null || mayBeEmpty ? file : throw new RunFileException($"{path} has no samples; measure again");
    }

    /// <summary>Fills <see cref="Sample.TokenMs"/>.</summary>
    /// <exception cref="RunFileException">The file is not a readable tokens.csv of these samples.</exception>
    public void AddTokens(string path) =>
        TokenFile.Read(path, token => _cases.GetValueOrDefault(token.CaseId)?.Find(token.LaunchIndex, token.Iteration));

    /// <summary>The run, with what results.csv knows besides: the whole environment, and cases that have no samples.</summary>
    /// <exception cref="RunFileException">The results are another run's, or there is nothing of either.</exception>
    public Run ToRun(string source, IReadOnlyList<ResultRow> results)
    {
        if (results.Count == 0)
        {
            return _first is null
                ? throw new RunFileException($"{_path} has no samples, and no {RunFolder.Results} beside it says why; measure again")
                : Part(
                    new Run(_first.Run, _first.Environment, [.. _order.Select(samples => samples.ToOutcome())])
                    {
                        Source = source,
                        Remarks = _remarks,
                    },
                    [$"there is no {RunFolder.Results} beside {_path}, so that nobody knows whether it is whole"]
                );
        }

        if (_first is not null && _first.Run.RunId != results[0].Run.RunId)
        {
            throw new RunFileException(
                $"{_path} is of run {_first.Run.RunId} and the {RunFolder.Results} beside it of run {results[0].Run.RunId}; a folder holds "
                    + "one run"
            );
        }

        RunEnvironment environment = CompleteEnvironment(results[0].Environment);
        List<string> losses = [];
        HashSet<string> known = [.. results.Select(row => row.CaseId)];
        CaseOutcome[] measured = [.. results.Select(row => Outcome(row, losses))];
        CaseOutcome[] others = [.. _order.Where(samples => !known.Contains(samples.CaseId)).Select(samples => samples.ToOutcome())];
        losses.AddRange(others.Select(outcome => $"{RunFolder.Results} lacks '{outcome.CaseId}', which {_path} has samples of"));
        return Part(
            new Run(_first?.Run ?? results[0].Run, environment, [.. measured, .. others]) { Source = source, Remarks = _remarks },
            losses
        );
    }

    private static Run Part(Run run, IReadOnlyList<string> losses) => run with { Remarks = [.. run.Remarks, .. losses], Losses = losses };

    /// <summary>What a comparison takes for granted of a file that is too old to say it.</summary>
    private static IEnumerable<string> KeysSince(int version, string path)
    {
        Column<Sample>[] keys = [.. SampleSchema.Keys.Where(key => key.Since > version && key.Absent is not null)];
        if (keys.Length > 0)
        {
            yield return $"{path} has schema version {version}, without {string.Join(" and ", keys.Select(key => key.Name))}: its cases "
                + $"match only {string.Join(" and ", keys.Select(key => $"{key.Name} {key.Absent}"))}";
        }
    }

    private void Add(Sample sample, TableReader<Sample> reader)
    {
        _first ??= sample;
        reader.CheckSame(sample, _first, s => s.Run, RunColumns.Identity);
        reader.CheckSame(sample, _first, s => s.Environment, RunColumns.Environment);
        if (!_cases.TryGetValue(sample.CaseId, out CaseSamples? samples))
        {
            _cases.Add(sample.CaseId, samples = new CaseSamples(sample, _isCompact, _needs.Metrics));
            _order.Add(samples);
        }

        reader.CheckSame(sample, samples.First, s => s.Case, CaseColumns.All);
        if (!samples.TryAdd(sample))
        {
            throw reader.Error(
                "iteration",
                $"iteration {sample.Iteration} of launch {sample.LaunchIndex} of '{sample.CaseId}' stands in a row above already"
            );
        }
    }

    /// <summary>All that results.csv knows, except where samples.csv knows better; the samples share it.</summary>
    private RunEnvironment CompleteEnvironment(RunEnvironment all)
    {
        RunEnvironment complete = _first is null ? all : RunColumns.WithKeysOf(_first.Environment, all);
        foreach (CaseSamples samples in _order)
        {
            samples.SetEnvironment(complete);
        }

        return complete;
    }

    /// <summary>The samples are what counts; a case that ended well and has none was lost on the way.</summary>
    private CaseOutcome Outcome(ResultRow row, List<string> losses)
    {
        CaseSamples? samples = _cases.GetValueOrDefault(row.CaseId);
        int count = samples?.CompletedCount ?? 0;
        if (count != row.SampleCount)
        {
            losses.Add($"{_path} has {count} completed samples of '{row.CaseId}', {RunFolder.Results} counted {row.SampleCount}");
        }

        if (row.Status == CaseStatus.Interrupted)
        {
            losses.Add($"'{row.CaseId}' was interrupted{(row.Error is { } error ? $": {error}" : "")}");
        }

        FillFrom(row, samples?.All ?? []);
        bool lost = row.Status == CaseStatus.Ok && count == 0;
        return new CaseOutcome
        {
            Case = samples?.First.Case ?? row.Case,
            CaseId = row.CaseId,
            Status = lost ? CaseStatus.Failed : row.Status,
            Error = lost ? $"{RunFolder.Samples} has no completed samples of it" : row.Error,
            Notes = row.Notes is { } notes ? [notes] : [],
            Verification = row.Verification,
            WarmUps = row is { WarmUpMs: { } ms, WarmUpIterations: { } iterations, WarmUpSettled: { } settled }
                ? [new LaunchWarmUp(ms, iterations, settled)]
                : [],
            TokenizeMs = row.TokenizeMs,
            WeightBytesPerToken = row.WeightBytesPerToken,
            CacheBytesPerToken = row.CacheBytesPerToken,
            ProcessPriority = row.ProcessPriority,
            LaunchOrder = row.LaunchOrder,
            CpuFallbackOps = row.CpuFallbackOps,
            Samples = samples?.All ?? [],
        };
    }

    /// <summary>What an old samples.csv lacks and results.csv had: the case's one value stands for every iteration.</summary>
    private void FillFrom(ResultRow row, IReadOnlyList<Sample> samples)
    {
        StringPool strings = new();
        foreach (StatisticColumn column in _missing.Where(column => column.Value(row) is not null))
        {
            byte[] text = Encoding.UTF8.GetBytes(column.Text(row));
            foreach (Sample sample in samples)
            {
                column.Source.TryRead(sample, text, strings);
            }
        }
    }
}
