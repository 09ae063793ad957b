using System.Text;
using System.Text.Json;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Models;
using Llama3Perf.Models.Files;
using Llama3Perf.Results;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>The launches of a run that is not complete: one line of JSON each, on the disk before the next launch starts.</summary>
internal sealed class RunJournal : IDisposable
{
    private readonly FileStream _file;
    private readonly List<LaunchResult> _launches;

    private RunJournal(FileStream file, List<LaunchResult> launches) => (_file, _launches) = (file, launches);

    /// <summary>All launches, in the order they ended.</summary>
    public IReadOnlyList<LaunchResult> Launches => _launches;

    /// <summary>Opens a journal and reads what it holds; a last line that was cut off is dropped.</summary>
    /// <exception cref="RunFileException">It cannot be read.</exception>
    public static RunJournal Open(string path)
    {
        try
        {
            (List<LaunchResult> launches, long length) = File.Exists(path) ? Read(path) : ([], 0);
            FileStream file = new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
            file.SetLength(length);
            file.Position = length;
            return new RunJournal(file, launches);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or ModelException)
        {
            throw new RunFileException($"{path} is not a journal that can be read: {exception.Message}", exception);
        }
    }

    /// <summary>Appends a launch. Half a line, where the disk is full, is taken back.</summary>
    public void Append(LaunchResult launch)
    {
        long length = _file.Position;
        try
        {
            _file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(launch) + "\n"));
            _file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            _file.SetLength(length);
            throw;
        }

        _launches.Add(launch);
    }

    public void Dispose() => _file.Dispose();

    private static (List<LaunchResult> Launches, long Length) Read(string path)
    {
        byte[] bytes = InputFile.Length(path) == 0 ? [] : InputFile.ReadBytes(path, InputFile.MaxJournalBytes, "is no journal");
        List<LaunchResult> launches = [];
        int start = 0;
        for (int end = Array.IndexOf(bytes, (byte)'\n'); end >= 0; end = Array.IndexOf(bytes, (byte)'\n', start))
        {
            launches.Add(
                JsonSerializer.Deserialize<LaunchResult>(bytes.AsSpan(start, end - start))
                    is { CaseId: not null, Lines: not null, Measurements: not null } launch
                && !launch.Lines.Concat(launch.Measurements).Contains(null!)
                    ? launch
                    : throw new JsonException($"line {launches.Count + 1} is no launch")
            );
            start = end + 1;
        }

        return (launches, start);
    }
}
