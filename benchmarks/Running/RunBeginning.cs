using System.Text.Json;
using Llama3Perf.Models;
using Llama3Perf.Models.Files;
using Llama3Perf.Results;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>What a run was when it began; it goes on only as the same.</summary>
internal sealed record RunBeginning(
    string RunId,
    DateTimeOffset TestTime,
    string? BuildCommit,
    string? MachineId,
    IReadOnlyList<CaseKey> Cases,
    int? Seed = null
)
{
    /// <exception cref="RunFileException">The file cannot be read.</exception>
    public static RunBeginning Read(string path)
    {
        try
        {
            return
                JsonSerializer.Deserialize<RunBeginning>(InputFile.ReadText(path, "is not JSON"))
                    is { RunId: not null, Cases: not null } beginning
                ? beginning
                : throw new JsonException("it lacks the run or its cases");
        }
        catch (Exception exception)
            when (exception is IOException or JsonException or UnauthorizedAccessException or NotSupportedException or ModelException)
        {
            throw new RunFileException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>What differs, in one line; null when nothing does.</summary>
    public string? WhyNot(RunBeginning now) =>
        MachineId != now.MachineId ? "it was begun on another machine"
        : BuildCommit != now.BuildCommit
            ? $"it was begun with the build {BuildCommit ?? "unknown"}, and this is {now.BuildCommit ?? "unknown"}"
        : Cases.Count != now.Cases.Count || !Cases.SequenceEqual(now.Cases)
            ? "its cases are not what they were: a model, a library or a default has changed"
        : null;
}
