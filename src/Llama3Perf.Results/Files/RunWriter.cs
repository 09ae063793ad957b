using System.Text;
using CsvHelper;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>Writes the files of a run.</summary>
public static class RunWriter
{
    private const string PartialName = ".partial";

    // The tokens are never those of samples that are not there.
    private static readonly string[] s_order = [RunFolder.Samples, RunFolder.Tokens, RunFolder.Results, RunFolder.Markdown];

    /// <summary>Writes samples.csv, tokens.csv, results.csv and results.md. Other files of the folder stay; those four are
    /// replaced.</summary>
    /// <param name="run">The run.</param>
    /// <param name="folder">The run's folder; it is made when it is not there, and then appears with all of its files or not at
    /// all.</param>
    /// <exception cref="RunFileException">The folder cannot be written.</exception>
    /// <exception cref="ArgumentException">A sample belongs to another run or case than the one that holds it, or two cases have one
    /// name.</exception>
    public static void Write(Run run, string folder)
    {
        CheckConsistent(run);
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        // Within a folder that is there: whoever writes into it next removes what a killed process left.
        string partial = Directory.Exists(folder)
            ? Path.Combine(folder, PartialName)
            : Path.Combine(Path.GetDirectoryName(folder) ?? folder, $".{Path.GetFileName(folder)}.{Guid.NewGuid():N}.partial");
        try
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }

            Directory.CreateDirectory(partial);
            WriteFiles(run, partial);
            Publish(partial, folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFileException($"{folder} cannot be written: {e.Message}", e);
        }
        finally
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }
    }

    private static void WriteFiles(Run run, string folder)
    {
        IReadOnlyList<ResultRow> rows = Aggregates.Rows(run);
        TableWriter.Write(
            TokenSchema.Table,
            run.Cases.SelectMany(outcome => outcome.Samples).SelectMany(Tokens),
            Path.Combine(folder, RunFolder.Tokens)
        );
        TableWriter.Write(SampleSchema.Table, run.Cases.SelectMany(outcome => outcome.Samples), Path.Combine(folder, RunFolder.Samples));
        TableWriter.Write(ResultSchema.Table, rows, Path.Combine(folder, RunFolder.Results));
        File.WriteAllText(
            Path.Combine(folder, RunFolder.Markdown),
            RunMarkdown.Write(run),
            new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)
        );
    }

    private static IEnumerable<TokenRow> Tokens(Sample sample) =>
        sample.TokenMs.Select(
            (ms, i) =>
                new TokenRow
                {
                    RunId = sample.Run.RunId,
                    CaseId = sample.CaseId,
                    Weights = sample.Case.Weights,
                    LaunchIndex = sample.LaunchIndex,
                    Iteration = sample.Iteration,
                    TokenIndex = i + 1,
                    Ms = ms,
                }
        );

    /// <summary>A new folder appears by one rename. Into one that is there, by BenchmarkDotNet's hand or an earlier run's, files are
    /// renamed one by one.</summary>
    private static void Publish(string partial, string folder)
    {
        if (!Path.Exists(folder))
        {
            Directory.Move(partial, folder);
            return;
        }

        foreach (string file in s_order)
        {
            File.Move(Path.Combine(partial, file), Path.Combine(folder, file), overwrite: true);
        }
    }

    private static void CheckConsistent(Run run)
    {
        HashSet<string> ids = [];
        foreach (CaseOutcome outcome in run.Cases)
        {
            if (!ids.Add(outcome.CaseId))
            {
                throw new ArgumentException($"Two cases are named '{outcome.CaseId}'.", nameof(run));
            }

            if (
                outcome.Samples.Any(s =>
                    s.Run != run.Identity
                    || s.Environment != run.Environment
                    || s.Case != outcome.Case
                    || s.CaseId != outcome.CaseId
                    || s.PromptTokens != outcome.Case.PromptTokens
                )
            )
            {
                throw new ArgumentException(
                    $"A sample of '{outcome.CaseId}' belongs to another run or case, or counts other prompt tokens.",
                    nameof(run)
                );
            }
        }
    }
}

/// <summary>Writes the rows of one file: UTF-8 without a byte order mark, commas, LF.</summary>
internal static class TableWriter
{
    private static readonly CsvWriterOptions s_options = CsvWriterOptions.Default with { NewLine = "\n" };

    /// <summary>Writes header and rows.</summary>
    public static void Write<TRow>(Table<TRow> table, IEnumerable<TRow> rows, string path)
        where TRow : class
    {
        using CsvWriter csv = CsvWriter.ToFile(path, s_options, FileOptions.None);
        foreach (Column<TRow> column in table.Columns)
        {
            csv.WriteField(column.Name);
        }

        csv.EndRecord();
        foreach (TRow row in rows)
        {
            foreach (Column<TRow> column in table.Columns)
            {
                csv.WriteField(column.IsNumber ? column.Text(row) : SpreadsheetText.Guard(column.Text(row)));
            }

            csv.EndRecord();
        }
    }
}
