using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>
/// Verbs that write are killed at random moments of their time, five each and as many as LLAMA3PERF_KILLS says: what they write is there
/// whole or not at all, what was there before stays until then, and the next start clears away what the killed ones left.
/// </summary>
public sealed class KillTests : IDisposable
{
    private const int Seed = 20_261_127;

    private static readonly int s_kills = int.Parse(
        Environment.GetEnvironmentVariable("LLAMA3PERF_KILLS") ?? "5",
        CultureInfo.InvariantCulture
    );

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-kill-").FullName;
    private readonly Dictionary<string, int> _found = [];

    public KillTests()
    {
        SyntheticRuns.Of("run-1", [SyntheticRuns.Case()]).Write(At("measured"));
        SyntheticRuns.Of("run-2", [SyntheticRuns.Case(), SyntheticRuns.Case("pp9")]).Write(At("measured-2"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("build", "--model llama-tiny --precision int4")]
    [InlineData("checkpoint", "--model llama-tiny")]
    public void A_folder_is_whole_or_not_there(string verb, string arguments)
    {
        string[] command = [verb, .. arguments.Split(' '), "--output", At("model")];
        TimeSpan whole = Time(command);
        string expected = Hash(At("model"));
        Kill(
            command,
            whole,
            before: () => Delete(At("model")),
            after: () =>
            {
                bool isThere = Directory.Exists(At("model"));
                Assert.True(!isThere || Hash(At("model")) == expected, "half a folder");
                return isThere ? "whole" : "nothing";
            }
        );
        Assert.Equal(expected, Hash(At("model")));
    }

    [Theory]
    [InlineData("report", "measured --output out.html --force", "measured measured-2 --output out.html")]
    [InlineData("noise", "measured --output out.json --force", "measured-2 --output out.json")]
    public void A_file_is_the_old_one_or_the_new_one(string verb, string first, string second)
    {
        string file = first.Split(' ')[2];
        Time([verb, .. first.Split(' ')]);
        byte[] old = File.ReadAllBytes(At(file));
        string[] command = [verb, .. second.Split(' ')];
        TimeSpan whole = Time(command);
        byte[] expected = File.ReadAllBytes(At(file));
        Assert.NotEqual(old, expected);
        Kill(
            command,
            whole,
            before: () => File.WriteAllBytes(At(file), old),
            after: () =>
            {
                byte[] now = File.ReadAllBytes(At(file));
                Assert.True(now.SequenceEqual(old) || now.SequenceEqual(expected), "half a file");
                return now.SequenceEqual(old) ? "the old one" : "the new one";
            }
        );
        Assert.Equal(expected, File.ReadAllBytes(At(file)));
    }

    /// <param name="isReplaced">Whether each run replaces a finished one.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_is_whole_or_a_part_that_says_so(bool isReplaced)
    {
        string[] command =
        [
            .. "run --engine ort --isolation none --model llama-tiny --precision int4 --prompt pp8".Split(' '),
            .. "--max-length 40 --launches 2 --iterations 2".Split(' '),
            .. "--warmup 0 --output".Split(' '),
            At("run"),
        ];
        TimeSpan whole = Time(command);
        string old = RunReader.Read(At("run"))[0].Identity.RunId;
        Kill(
            command,
            whole,
            before: () =>
            {
                if (!isReplaced)
                {
                    Delete(At("run"));
                }
            },
            after: () => isReplaced ? Replaced(ref old) : Part()
        );
        AssertWhole(RunReader.Read(At("run"), withTokens: true).Single());
        if (Directory.EnumerateDirectories(_folder, ".run.*").FirstOrDefault() is { } hidden)
        {
            // A killed part beside the run that it was to replace; it goes on and replaces that.
            // Killed between the journal's first line and its first tables it has none of these yet.
            string? part = File.Exists(Path.Combine(hidden, "samples.csv")) ? RunReader.Read(hidden).Single().Identity.RunId : null;
            string resumed = Resume(hidden).Identity.RunId;
            Assert.Equal(part ?? resumed, resumed);
            Assert.False(Directory.Exists(hidden));
        }
    }

    /// <summary>The same where every launch is a process and the launches of five cases take turns: ended after five of ten.</summary>
    [Theory]
    [InlineData("KILL", null)]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    public void A_run_of_processes_is_resumed(string signal, int? expectedExitCode)
    {
        Assert.SkipWhen(s_kills <= 5, "takes a minute; LLAMA3PERF_KILLS=50 runs it");
        Assert.SkipWhen(OperatingSystem.IsWindows() && signal != "KILL", "no signals");
        ProgramProcess.SkipIfIgnored(signal);
        string[] command =
        [
            .. "run --engine ort --model llama-tiny --precision int4 --prompt pp8".Split(' '),
            .. "--max-length 40,41,42,43,44 --launches 2 --iterations 2".Split(' '),
            .. "--warmup 0 --output".Split(' '),
            At("run"),
        ];
        using (ProgramProcess program = new(_folder, command))
        {
            string journal = At("run/journal.jsonl");
            while (!program.HasEnded && !(File.Exists(journal) && File.ReadLines(journal).Count() >= 5))
            {
                Thread.Sleep(10);
            }

            program.Signal(signal);
            Assert.Equal(expectedExitCode ?? ProgramProcess.KilledExitCode, program.Wait().ExitCode);
        }

        Run part = RunReader.Read(At("run")).Single();
        Assert.Contains(part.Cases, outcome => outcome.Status == CaseStatus.Interrupted);
        Run whole = Resume(At("run"));
        Assert.Equal(5, whole.Cases.Count);
        AssertWhole(whole);
        Assert.Subset(Moments(whole), Moments(part));
        Assert.Empty(Directory.EnumerateDirectories(AppContext.BaseDirectory, "*-L3P*"));
    }

    private static HashSet<(string, DateTimeOffset)> Moments(Run run) =>
        [.. run.Cases.SelectMany(outcome => outcome.Samples).Select(sample => (sample.CaseId, sample.StartUtc))];

    private string Replaced(ref string old)
    {
        // Between two renames there may be a moment without one; the next start ends it.
        if (!Directory.Exists(At("run")))
        {
            return "between";
        }

        Run run = RunReader.Read(At("run"), withTokens: true).Single();
        AssertWhole(run);
        string what = run.Identity.RunId == old ? "the old one" : "the new one";
        old = run.Identity.RunId;
        return what;
    }

    private string Part()
    {
        if (!File.Exists(At("run/samples.csv")))
        {
            return "nothing";
        }

        Run run = RunReader.Read(At("run"), withTokens: true).Single();
        if (!File.Exists(At("run/journal.jsonl")))
        {
            AssertWhole(run);
            return "whole";
        }

        Assert.NotEmpty(run.Cases.SelectMany(outcome => outcome.Samples));
        Run resumed = Resume(At("run"));
        Assert.Equal(run.Identity.RunId, resumed.Identity.RunId);
        AssertWhole(resumed);
        return "a part, resumed";
    }

    private Run Resume(string folder)
    {
        (int exitCode, string output, string error) = ProgramProcess.Run(_folder, ["run", "--resume", folder]);
        Assert.True(exitCode == ExitCode.Success, output + error);
        return RunReader.Read(At("run"), withTokens: true).Single();
    }

    private static void AssertWhole(Run run)
    {
        Assert.Empty(run.Losses);
        Assert.All(run.Cases, outcome => Assert.Equal((CaseStatus.Ok, 4), (outcome.Status, outcome.Samples.Count)));
    }

    /// <summary>Kills the command at random moments, looks at what it left, and lets it end at last.</summary>
    private void Kill(string[] command, TimeSpan whole, Action before, Func<string> after)
    {
        Random random = new(Seed);
        // A run takes seconds: with the tests it is killed twice, by command as often as is asked.
        int kills = command[0] == "run" && s_kills <= 5 ? 2 : s_kills;
        for (int kill = 0; kill < kills; kill++)
        {
            before();
            TimeSpan moment = whole * (random.NextDouble() * 1.1);
            using (ProgramProcess program = new(_folder, command))
            {
                Thread.Sleep(moment);
                program.Signal("KILL");
                (int exitCode, string output, string error) = program.Wait();
                Assert.True(exitCode == ProgramProcess.KilledExitCode || exitCode == ExitCode.Success, output + error);
                Count(exitCode == ProgramProcess.KilledExitCode ? "killed" : "had ended");
            }

            Count(after());
        }

        // The last of them may have ended.
        before();
        Time(command);
        string[] left =
        [
            .. Directory
                .EnumerateFileSystemEntries(_folder)
                .Select(entry => Path.GetFileName(entry))
                .Where(name => name is not ("measured" or "measured-2" or "model" or "run" or "out.html" or "out.json"))
                .Where(name => !File.Exists(At($"{name}/journal.jsonl"))),
        ];
        Assert.Empty(left);
        string found = string.Join(
            ", ",
            _found.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}")
        );
        TestContext.Current.TestOutputHelper!.WriteLine($"| {command[0]} | {kills} | {found} |");
    }

    private void Count(string what) => _found[what] = _found.GetValueOrDefault(what) + 1;

    private TimeSpan Time(string[] command)
    {
        long start = Stopwatch.GetTimestamp();
        (int exitCode, string output, string error) = ProgramProcess.Run(_folder, command);
        Assert.True(exitCode == ExitCode.Success, output + error);
        return Stopwatch.GetElapsedTime(start);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Hash(string folder) =>
        string.Join(
            '\n',
            Directory
                .EnumerateFiles(folder)
                .Order(StringComparer.Ordinal)
                .Select(file => $"{Path.GetFileName(file)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}")
        );
}
