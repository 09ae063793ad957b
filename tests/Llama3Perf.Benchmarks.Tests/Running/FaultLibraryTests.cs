using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>An ONNX Runtime that goes wrong in each of the ways that native code can (tests/native/fake_ort.c): one line, a failed row, and
/// the other cases go on.</summary>
public sealed class FaultLibraryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-faults-").FullName;

    public FaultLibraryTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the fault library is written for Linux");
        string? why = NativeCompiler.Compile(Path.Combine(Fixtures.Root, "tests", "native", "fake_ort.c"), At("libonnxruntime.so"));
        Assert.SkipWhen(why is not null, why ?? "");
        string real = Directory.EnumerateFiles(AppContext.BaseDirectory, "libonnxruntime.so", SearchOption.AllDirectories).First();
        File.Copy(real, At("real.so"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("exit0", null, ExitCode.Failed, "a native library ended the process, with exit code 0 and before its work was done")]
    [InlineData("exit0", "10", ExitCode.Failed, "a native library ended the process, with exit code 0 and before its work was done")]
    [InlineData("abort", "10", 134, "the process ended with exit code 134: the signal SIGABRT")]
    [InlineData("segfault", "10", 139, "the process ended with exit code 139: the signal SIGSEGV")]
    [InlineData("slow", "10", 0, null)]
    public void A_library_that_ends_a_generation_is_one_line(string fault, string? at, int exitCode, string? expected)
    {
        (string, string)[] variables = at is null ? [] : [("LLAMA3PERF_FAULT_AT", at)];
        (int code, string output, string error) = Program(
            ["generate", "--model", "llama-tiny", "--prompt", "pp4", "--max-length", "30", "--runtime-dir", _folder],
            [("LLAMA3PERF_FAULT", fault), ("LLAMA3PERF_FAULT_EVERYWHERE", "1"), .. variables]
        );

        Assert.Equal(expected is null ? "" : $"error: {expected}\n", error);
        Assert.Equal(exitCode, code);
        Assert.Equal(expected is null, output.Contains("end to end", StringComparison.Ordinal));
    }

    /// <summary>
    /// A provider whose results are there 20 ms after they were asked for: by the end of the call, and by the end of waiting for it. No
    /// token is stamped before its id can be read.
    /// </summary>
    [Theory]
    [InlineData("late-run", "host")]
    [InlineData("late-wait", "device")]
    public void No_time_is_shorter_than_the_provider_takes(string fault, string loop)
    {
        const double DelayMs = 20;
        (int exitCode, string output, string error) = Program(
            [
                "run",
                "--engine",
                "ort",
                "--loop",
                loop,
                "--verify",
                "off",
                "--isolation",
                "none",
                "--runtime-dir",
                _folder,
                "--model",
                "llama-tiny",
                "--prompt",
                "pp4",
                "--max-length",
                "9",
                "--launches",
                "1",
                "--iterations",
                "2",
                "--warmup",
                "0",
                "--output",
                At("run"),
            ],
            [("LLAMA3PERF_FAULT", fault), ("LLAMA3PERF_FAULT_EVERYWHERE", "1"), ("LLAMA3PERF_FAULT_AT", "0")]
        );

        Assert.True(exitCode == ExitCode.Success, output + error);
        Assert.All(
            RunReader.Read(At("run"), withTokens: true).Single().Cases.Single().Samples,
            sample =>
            {
                Assert.Equal(5, sample.TokenMs.Count);
                Assert.All(
                    sample.TokenMs.Zip([0, .. sample.TokenMs]),
                    pair => Assert.InRange(pair.First - pair.Second, DelayMs, double.MaxValue)
                );
                Assert.InRange(sample.TtftMs ?? 0, DelayMs, double.MaxValue);
                Assert.InRange(sample.PrefillMs ?? 0, DelayMs, double.MaxValue);
            }
        );
    }

    /// <summary>A measuring process for each case: nine faults, one a case; the run is killed while the third one hangs.</summary>
    [Fact]
    public void Each_fault_fails_its_case_alone_and_a_killed_run_goes_on()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("LLAMA3PERF_KILLS") is { Length: > 0 },
            "hangs as long as launches may, more than a minute; LLAMA3PERF_KILLS=6 runs it"
        );
        (string, string)[] variables =
        [
            ("LLAMA3PERF_FAULT", "slow,cutline,hang,badline,abort,segfault,exit0,memory,hang"),
            ("LLAMA3PERF_FAULT_AT", "60"),
            ("LLAMA3PERF_FAULT_COUNT", At("count")),
        ];
        using (ProgramProcess killed = Start(RunArguments, variables))
        {
            while (!killed.HasEnded && !(File.Exists(At("count")) && new FileInfo(At("count")).Length >= 3))
            {
                Thread.Sleep(20);
            }

            killed.Signal("KILL");
            (int code, string said, string complaint) = killed.Wait();
            Assert.True(code == 137, said + complaint);
        }

        Run part = RunReader.Read(At("run")).Single();
        Assert.Equal(CaseStatus.Ok, part.Cases[0].Status);
        Assert.Equal(CaseStatus.Failed, part.Cases[1].Status);
        Assert.All(part.Cases.Skip(2), outcome => Assert.Equal(CaseStatus.Interrupted, outcome.Status));

        (int exitCode, string output, string error) = Program(["run", "--resume", At("run"), "--trust-invocation"], variables);

        Assert.True(exitCode == ExitCode.Failed, output + error);
        Run run = RunReader.Read(At("run")).Single();
        Assert.Equal(part.Identity, run.Identity);
        Assert.Equal(part.Cases[0].Samples[0].StartUtc, run.Cases[0].Samples[0].StartUtc);
        Assert.Collection(
            run.Cases,
            slow => Assert.Equal((CaseStatus.Ok, 3), (slow.Status, slow.Samples.Count)),
            cut => AssertFailed(cut, "after the line '// L3P {\"kind\":\"iteration\",\"IsWarmUp\":fal'"),
            bad => AssertFailed(bad, "printed a line that cannot be read: '// L3P {\"kind\":\"iteration\",\"Result\":[1,2}'"),
            aborted => AssertFailed(aborted, "exit code 134: the signal SIGABRT"),
            crashed => AssertFailed(crashed, "exit code 139: the signal SIGSEGV"),
            left => AssertFailed(left, "exit code 0 after 1 iterations, before its work was done"),
            full => AssertFailed(full, "exit code 137: the signal SIGKILL, as the system sends it when memory runs out"),
            hanging => AssertFailed(hanging, "s and was killed; --launch-timeout gives it longer"),
            well => Assert.Equal((CaseStatus.Ok, 3), (well.Status, well.Samples.Count))
        );
        // Nothing of either part is left: no process, no folder that BenchmarkDotNet built in.
        Assert.DoesNotContain(
            Directory.EnumerateDirectories("/proc").Select(Environ),
            text => text.Contains($"LLAMA3PERF_FAULT_COUNT={At("count")}", StringComparison.Ordinal)
        );
        Assert.Empty(Directory.EnumerateDirectories(AppContext.BaseDirectory, "*-L3P*"));
    }

    private static void AssertFailed(CaseOutcome outcome, string expected)
    {
        Assert.Equal(CaseStatus.Failed, outcome.Status);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    private static string Environ(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "environ"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private string[] RunArguments =>
        [
            "run",
            "--engine",
            "ort",
            "--runtime-dir",
            _folder,
            "--model",
            "llama-tiny",
            "--precision",
            "int4",
            "--prompt",
            "pp8",
            "--max-length",
            "40,41,42,43,44,45,46,47,48",
            "--launches",
            "1",
            "--iterations",
            "3",
            "--warmup",
            "0",
            "--order",
            "fixed",
            "--launch-timeout",
            "20",
            "--output",
            At("run"),
        ];

    private string At(string name) => Path.Combine(_folder, name);

    private (int ExitCode, string Output, string Error) Program(string[] arguments, (string Name, string Value)[] variables)
    {
        using ProgramProcess program = Start(arguments, variables);
        return program.Wait();
    }

    private ProgramProcess Start(string[] arguments, (string Name, string Value)[] variables) =>
        new(_folder, arguments, [("LLAMA3PERF_FAULT_REAL", At("real.so")), .. variables]);
}
