using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Export;

/// <summary>A file for another tool.</summary>
/// <param name="Name">Name of the file.</param>
/// <param name="Text">Its text.</param>
public sealed record ExportedFile(string Name, string Text);

/// <summary>One format of another tool.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Summary">One line for help texts.</param>
/// <param name="Files">Makes the files; throws <see cref="RunFileException"/> when no case has a result.</param>
public sealed record ExportFormat(string Name, string Summary, Func<Run, IReadOnlyList<ExportedFile>> Files);

/// <summary>The table of formats that runs are exported to.</summary>
public static class RunExport
{
    /// <summary>All formats.</summary>
    public static IReadOnlyList<ExportFormat> Formats { get; } =
    [
        new(
            "github-action-benchmark",
            "JSON for benchmark-action/github-action-benchmark, one file for each of its two custom tools",
            GitHubActionBenchmark.Files
        ),
        new("bencher", "Bencher Metric Format JSON for bencher run --adapter json", Bencher.Files),
    ];

    /// <summary>Writes the files of a format.</summary>
    /// <returns>Paths of the files.</returns>
    /// <exception cref="RunFileException">No case has a result, or the folder cannot be written.</exception>
    public static IReadOnlyList<string> Write(Run run, ExportFormat format, string folder)
    {
        IReadOnlyList<ExportedFile> files = format.Files(run);
        try
        {
            Directory.CreateDirectory(folder);
            return [.. files.Select(file => Write(file, folder))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFileException($"{folder} cannot be written: {e.Message}", e);
        }
    }

    private static string Write(ExportedFile file, string folder)
    {
        string path = Path.Combine(folder, file.Name);
        TextFile.Write(path, file.Text);
        return path;
    }
}
