using System.Text;
using CsCheck;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Tests.Files;

public sealed class BadFileTests
{
    private static readonly string[] s_names = [RunFolder.Samples, RunFolder.Results, RunFolder.Tokens];

    /// <summary>What is done to samples.csv, and what the message must name.</summary>
    public static TheoryData<string, Func<string, string>, string[]> Damages =>
        new()
        {
            { "empty", _ => "", ["is empty"] },
            { "byte order mark", text => '\uFEFF' + text, ["row 1", "byte order mark"] },
            { "CRLF", text => text.Replace("\n", "\r\n"), ["row 1", "CR LF"] },
            { "one CRLF", text => ReplaceLine(text, 3, line => line + "\r"), ["row 3", "CR LF"] },
            { "semicolons", text => text.Replace(',', ';'), ["row 1", "column 1", "semicolons"] },
            { "header only", text => text[..(text.IndexOf('\n') + 1)], ["no samples"] },
            { "cut inside a row", text => text[..^20], ["row 7", "breaks off"] },
            { "cut before the last line end", text => text[..^1], ["row 7", "breaks off"] },
            { "newer version", text => text.Replace("\n4,", "\n5,"), ["row 2", "column schema_version", "'5' is newer than 4"] },
            {
                "newer version and columns",
                text => text.Replace("\n4,", "\n5,").Replace("ttft_ms", "first_ms"),
                ["row 2", "column schema_version", "'5' is newer than 4"]
            },
            { "older version", text => text.Replace("\n4,", "\n2,"), ["row 1", "schema version 2 has no"] },
            { "no version", text => text.Replace("\n4,", "\nthree,"), ["row 2", "column schema_version", "'three'"] },
            {
                "swapped headers",
                text => text.Replace("ttft_ms,decode_ms", "decode_ms,ttft_ms"),
                ["row 1", "column 10", "'decode_ms'", "'ttft_ms'"]
            },
            { "duplicate header", text => text.Replace("ttft_ms,decode_ms", "ttft_ms,ttft_ms"), ["row 1", "column 11", "'decode_ms'"] },
            { "missing header", text => text.Replace(",build_commit\n", "\n"), ["row 1", "header ends", "'build_commit'"] },
            { "additional header", text => text.Replace(",build_commit\n", ",build_commit,more\n"), ["row 1", "'more'"] },
            { "row too short", text => ReplaceLine(text, 4, line => line[..line.LastIndexOf(',')]), ["row 4", "columns"] },
            { "row too long", text => ReplaceLine(text, 4, line => line + ",x"), ["row 4", "columns"] },
            { "empty line", text => ReplaceLine(text, 4, line => line + "\n"), ["row 5", "columns"] },
            { "duplicate row", text => text + text.Split('\n')[4] + "\n", ["row 8", "column iteration", "already"] },
            { "NaN", text => Cell(text, 3, "decode_tps", "NaN"), ["row 3", "column decode_tps", "'NaN'"] },
            { "infinity", text => Cell(text, 3, "ttft_ms", "Infinity"), ["row 3", "column ttft_ms", "'Infinity'"] },
            { "negative", text => Cell(text, 3, "ttft_ms", "-5"), ["row 3", "column ttft_ms", "'-5'"] },
            { "zero rate", text => Cell(text, 3, "decode_tps", "0"), ["row 3", "column decode_tps"] },
            { "absurd", text => Cell(text, 3, "decode_tps", "1e300"), ["row 3", "column decode_tps"] },
            { "overflow", text => Cell(text, 3, "n_gen", "99999999999999999999"), ["row 3", "column n_gen"] },
            { "comma as decimal point", text => Cell(text, 3, "ttft_ms", "\"80,5\""), ["row 3", "column ttft_ms"] },
            { "unit in the cell", text => Cell(text, 3, "ttft_ms", "80 ms"), ["row 3", "column ttft_ms"] },
            { "spaces around a number", text => Cell(text, 3, "ttft_ms", " 80"), ["row 3", "column ttft_ms"] },
            { "required text missing", text => Cell(text, 3, "engine", ""), ["row 3", "column engine"] },
            { "unknown word", text => Cell(text, 3, "completed", "yes"), ["row 3", "column completed", "'yes'"] },
            { "other weights", text => Cell(text, 3, "weights", "synthetjc"), ["row 3", "column weights"] },
            { "local time", text => Cell(text, 3, "start_utc", "2026-01-31T12:00:00+01:00"), ["row 3", "column start_utc"] },
            { "two runs in one file", text => Cell(text, 5, "run_id", "other"), ["row 5", "column run_id", "'other'"] },
            { "two machines in one run", text => Cell(text, 5, "machine_id", "other"), ["row 5", "column machine_id", "'other'"] },
            { "two cases of one name", text => Cell(text, 5, "threads", "3"), ["row 5", "column threads", "'3'"] },
            { "stray quote", text => Cell(text, 3, "engine", "o\"rt"), ["row 3", "quotes"] },
            { "open quote", text => Cell(text, 3, "engine", "\"ort"), ["row 3", "quotes"] },
            { "control character", text => Cell(text, 5, "machine_id", "m-5f3a\u0085"), ["row 5", "column machine_id"] },
            { "null byte", text => Cell(text, 3, "engine", "o\0rt"), ["row 3", "control character 0x00"] },
        };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_file_is_refused_in_one_line_that_names_the_place(string damage, Func<string, string> apply, string[] named)
    {
        using TestFolder folder = new();
        RunWriter.Write(TestRuns.Fixed(), folder.File("run"));
        string path = folder.File("alone.csv");
        string text = File.ReadAllText(folder.File("run", RunFolder.Samples));
        File.WriteAllText(path, apply(text), new UTF8Encoding(false));
        Assert.NotEqual(Encoding.UTF8.GetBytes(text), File.ReadAllBytes(path));

        string message = Assert.Throws<RunFileException>(() => RunReader.Read(path)).Message;

        Assert.DoesNotContain('\n', message);
        Assert.StartsWith(path, message);
        Assert.All(
            named,
            name => Assert.True(message.Contains(name, StringComparison.Ordinal), $"{damage}: '{message}' does not name '{name}'.")
        );
    }

    [Fact]
    public void Text_that_is_not_UTF8_is_refused()
    {
        using TestFolder folder = new();
        RunWriter.Write(TestRuns.Fixed(), folder.File("run"));
        byte[] bytes = File.ReadAllBytes(folder.File("run", RunFolder.Samples));
        bytes[^3] = 0xE9;
        File.WriteAllBytes(folder.File("latin1.csv"), bytes);

        RunFileException e = Assert.Throws<RunFileException>(() => RunReader.Read(folder.File("latin1.csv")));

        Assert.Contains("row 7: it is not UTF-8", e.Message);
    }

    [Fact]
    public void A_byte_flip_is_read_whole_or_refused()
    {
        using TestFolder folder = new();
        RunWriter.Write(TestRuns.Fixed(), folder.File("run"));
        Dictionary<string, byte[]> files = s_names.ToDictionary(name => name, name => File.ReadAllBytes(folder.File("run", name)));

        Gen.Select(Gen.OneOf(s_names), Gen.Int[0, 1_000_000], Gen.Byte)
            .Sample(
                (name, position, value) =>
                {
                    byte[] bytes = [.. files[name]];
                    bytes[position % bytes.Length] = value;
                    using TestFolder copy = Copy(files, name, bytes);
                    AssertWholeOrRefused(copy);
                },
                iter: 1500,
                threads: 1
            );
    }

    [Fact]
    public void A_cut_file_is_refused_or_remarked()
    {
        using TestFolder folder = new();
        RunWriter.Write(TestRuns.Fixed(), folder.File("run"));
        Dictionary<string, byte[]> files = s_names.ToDictionary(name => name, name => File.ReadAllBytes(folder.File("run", name)));
        byte[] samples = files[RunFolder.Samples];

        for (
            int length = 0;
            length < samples.Length;
            length += samples[length] == '\n' || length + 1 >= samples.Length ? 1 : Math.Min(37, samples.AsSpan(length).IndexOf((byte)'\n'))
        )
        {
            using TestFolder copy = Copy(files, RunFolder.Samples, samples[..length]);
            File.Delete(copy.File(RunFolder.Tokens));
            if (AssertWholeOrRefused(copy, whole: false) is { } run)
            {
                Assert.NotEmpty(run.Remarks);
            }
        }
    }

    [Fact]
    public void Tokens_of_other_iterations_are_refused()
    {
        using TestFolder folder = new();
        RunWriter.Write(TestRuns.Fixed(), folder.File("run"));
        string path = folder.File("run", RunFolder.Tokens);
        string text = File.ReadAllText(path);
        string[] lines = text.Split('\n');

        AssertRefused(string.Join('\n', lines.Where((_, i) => i != 3)), "row 4, column token_index: token 3 of 4");
        AssertRefused(text[..(text[..^1].LastIndexOf('\n') + 1)], "token 4 of 4");
        AssertRefused(text.Replace(",2,3,1,", ",2,4,1,"), "has no iteration 4 of launch 2");
        AssertRefused(text + lines[1] + "\n" + string.Join('\n', lines[2..5]) + "\n", "already");
        AssertRefused(text.Replace("synthetic", "real"), "weights");

        void AssertRefused(string damaged, string named)
        {
            File.WriteAllText(path, damaged);
            Assert.Contains(named, Assert.Throws<RunFileException>(() => RunReader.Read(folder.File("run"), withTokens: true)).Message);
            Assert.Single(RunReader.Read(folder.File("run")));
        }
    }

    private static Run? AssertWholeOrRefused(TestFolder folder, bool whole = true)
    {
        try
        {
            Run run = Assert.Single(RunReader.Read(folder.Path, withTokens: true));
            Assert.True(!whole || run.Cases.Sum(outcome => outcome.Samples.Count) == 6, "a run was partly read");
            return run;
        }
        catch (RunFileException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            return null;
        }
    }

    private static TestFolder Copy(Dictionary<string, byte[]> files, string damaged, byte[] bytes)
    {
        TestFolder copy = new();
        foreach ((string name, byte[] original) in files)
        {
            File.WriteAllBytes(copy.File(name), name == damaged ? bytes : original);
        }

        return copy;
    }

    private static string ReplaceLine(string text, int row, Func<string, string> edit) =>
        string.Join('\n', text.Split('\n').Select((line, i) => i + 1 == row ? edit(line) : line));

    /// <summary>The samples hold no quoted cells, so a line is its cells.</summary>
    private static string Cell(string text, int row, string column, string value)
    {
        int index = SampleSchema.Table.Columns.ToList().FindIndex(c => c.Name == column);
        return ReplaceLine(text, row, line => string.Join(',', line.Split(',').Select((cell, i) => i == index ? value : cell)));
    }
}
