using System.Text.Json;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Models;
using Llama3Perf.Models.Files;
using Llama3Perf.Results;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>How a run was asked for, kept in its folder so that it can be measured again.</summary>
/// <param name="Directory">Current directory, for relative paths among the arguments.</param>
/// <param name="Arguments">The command line.</param>
/// <param name="HasTildes">In the file: <c>~</c> stands for the home folder of whoever reads it.</param>
internal sealed record RunInvocation(string Directory, IReadOnlyList<string> Arguments, bool HasTildes = false)
{
    public const string FileName = "invocation.json";

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    public static RunInvocation OfThisProcess { get; } = new(Environment.CurrentDirectory, [.. Environment.GetCommandLineArgs().Skip(1)]);

    /// <param name="folder">The run's.</param>
    /// <param name="keepPaths">Leaves paths as they are.</param>
    public void Write(string folder, bool keepPaths = false)
    {
        RunInvocation written = keepPaths
            ? this
            : new(HomePaths.Collapse(Directory), [.. Arguments.Select(HomePaths.Collapse)], HasTildes: true);
        File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(written, s_json) + "\n");
    }

    /// <exception cref="RunFileException">The folder does not tell.</exception>
    public static RunInvocation Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            return
                JsonSerializer.Deserialize<RunInvocation>(InputFile.ReadText(path, "is not JSON"))
                    is { Directory: not null, Arguments: not null } invocation
                && !invocation.Arguments.Contains(null!)
                ? invocation.Expanded()
                : throw new JsonException("it lacks the directory or an argument");
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException or ModelException)
        {
            throw new RunFileException($"{path}, which says how the run was measured, cannot be read: {exception.Message}", exception);
        }
    }

    private RunInvocation Expanded() => HasTildes ? new(HomePaths.Expand(Directory), [.. Arguments.Select(HomePaths.Expand)]) : this;
}
