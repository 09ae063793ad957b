using System.Text.Json;
using System.Text.Json.Serialization;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Comparison;

/// <summary>What a machine's noise is measured for: the gate that is to be run there.</summary>
public sealed record NoiseOptions
{
    /// <summary>Metrics to measure.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = ComparisonOptions.GatedMetrics;

    /// <summary>Launches a side that the gate will have.</summary>
    public int Launches { get; init; } = 3;

    /// <summary>Iterations a launch that the gate will have.</summary>
    public int Iterations { get; init; } = 5;

    /// <summary>The gate's threshold.</summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>The gate's alpha.</summary>
    public double Alpha { get; init; } = 0.01;
}

/// <summary>The noise of a machine, case by case: what an A/A measurement leaves, and what the gate reads. A JSON file.</summary>
public sealed record NoiseRecord
{
    /// <summary>The key that says whose noise it is.</summary>
    internal const string Machine = "machine_id";

    private const int CurrentVersion = 2;

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Version of the file.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary>Runs that it was measured from.</summary>
    public required IReadOnlyList<string> RunIds { get; init; }

    /// <summary>Every metric of every case.</summary>
    public required IReadOnlyList<NoiseEntry> Entries { get; init; }

    /// <summary>Estimates noise from runs of the same build on the same machine; ten launches or more give a spread that is worth
    /// recording.</summary>
    /// <param name="runs">One run of several launches, or several runs.</param>
    /// <param name="options">The gate that it is for.</param>
    /// <exception cref="RunFileException">The runs differ in a key, or no case has two launches.</exception>
    /// <exception cref="OptionException">An option is out of range or unknown.</exception>
    public static NoiseRecord Measure(IReadOnlyList<Run> runs, NoiseOptions options)
    {
        ComparisonOptions.CheckThreshold(options.Threshold, options.Alpha);
        IReadOnlyList<Column<Sample>> metrics = ComparisonOptions.Judged(options.Metrics);
        if (options.Launches < 1 || options.Iterations < 1 || runs.Count == 0)
        {
            throw new OptionException("Noise is measured from at least one run, for at least one launch of one iteration.");
        }

        if (runs.DistinctBy(run => run.Identity.RunId, StringComparer.Ordinal).Count() < runs.Count)
        {
            throw new RunFileException("a run is given twice; its launches would count twice");
        }

        CaseMatching matching = CaseMatching.Of(runs, vary: []);
        if (matching.Varied.Names.Count > 0)
        {
            throw new RunFileException(
                $"the runs differ in {string.Join(", ", matching.Varied.Names)}; noise is what is left when nothing differs"
            );
        }

        NoiseEntry[] entries =
        [
            .. from row in matching.Rows
            let good = row.OfType<KeyedCase>().Where(found => found.Problem() is null).ToArray()
            where good.Length > 0
            from metric in metrics
            let sample = LogSample.Of(good.SelectMany(found => found.Outcome.Samples), metric)
            let noise = LaunchNoise.Of(sample)
            where noise is not null
            select NoiseEntry.Of(good[0], metric, noise, options),
        ];
        return entries.Length > 0
            ? new NoiseRecord
            {
                SchemaVersion = CurrentVersion,
                RunIds = [.. runs.Select(run => run.Identity.RunId)],
                Entries = entries,
            }
            : throw new RunFileException("no case has two launches; noise between launches cannot be known from less");
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="RunFileException">It is not there or not readable.</exception>
    public static NoiseRecord Read(string path)
    {
        try
        {
            NoiseRecord record =
                JsonSerializer.Deserialize<NoiseRecord>(RegularFile.ReadBytes(path), s_json) ?? throw new JsonException("it is null");
            return record switch
            {
                { SchemaVersion: not CurrentVersion } => throw new RunFileException(
                    $"{path} has schema_version {record.SchemaVersion}, and this program reads {CurrentVersion}; measure the noise again"
                ),
                _ when !record.Entries.All(entry => entry is { IsSane: true }) => throw new RunFileException(
                    $"{path} holds a standard deviation or a count that cannot be; measure the noise again"
                ),
                _ => record,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new RunFileException($"{path} is not a readable noise record: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>Writes the record.</summary>
    /// <param name="path">The file.</param>
    /// <param name="force">Replaces a file that is no record.</param>
    /// <exception cref="RunFileException">The file is there and is no record, or it cannot be written.</exception>
    public void Write(string path, bool force = false) =>
        TextFile.Write(path, JsonSerializer.Serialize(this, s_json) + "\n", "\"run_ids\":", force);

    /// <summary>The entry of a case on the machine that it was measured on, whatever the versions; null when there is none.</summary>
    public NoiseEntry? Find(CaseContext context, Column<Sample> metric)
    {
        Dictionary<string, string> keys = NoiseEntry.KeysOf(context);
        return Entries.FirstOrDefault(entry =>
            entry.Metric == metric.Name
            && entry.Keys.Count == keys.Count
            && keys.All(key => entry.Keys.GetValueOrDefault(key.Key) == key.Value)
        );
    }

    /// <summary>That it is of a machine that some of the runs were measured on.</summary>
    /// <exception cref="RunFileException">It is another machine's: its noise says nothing here.</exception>
    internal void RequireMachine(IEnumerable<Run> runs)
    {
        HashSet<string?> own = [.. Entries.Select(entry => entry.Keys.GetValueOrDefault(Machine))];
        string?[] machines = [.. runs.Select(run => run.Environment.MachineId).Distinct(StringComparer.Ordinal)];
        if (!machines.Any(own.Contains))
        {
            throw new RunFileException(
                $"the noise record is of machine {string.Join(", ", own.Select(machine => machine ?? "unknown"))}, the runs are of "
                    + $"{string.Join(", ", machines.Select(machine => machine ?? "unknown"))}; measure the noise of this machine"
            );
        }
    }

    /// <summary>The record as people read it.</summary>
    public TextTable ToTable() =>
        new(
            [
                SummaryTable.Case,
                ComparisonTable.Metric,
                new("launches", true),
                new("sd of launches", true),
                new("sd within", true),
                new("gate", false),
                new("noise floor", true),
                new("smallest regression found", true),
            ],
            [
                .. Entries
                    .OrderByDescending(entry => entry.NoiseFloor)
                    .Select(entry =>
                        (IReadOnlyList<string>)
                            [
                                entry.CaseId,
                                entry.Metric,
                                $"{entry.Launches}",
                                ComparisonTable.Percent(Math.Round(entry.LaunchSd, 5)),
                                ComparisonTable.Percent(Math.Round(entry.WithinSd, 5)),
                                $"{entry.GateLaunches} x {entry.GateIterations}",
                                ComparisonTable.Percent(Math.Round(entry.NoiseFloor, 4)),
                                ComparisonTable.Percent(Math.Round(entry.SmallestRegression, 4)),
                            ]
                    ),
            ]
        );
}
