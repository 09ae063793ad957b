using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using Llama3Perf.Benchmarks.Harness;

namespace Llama3Perf.Benchmarks.Tests.Harness;

/// <summary>A launch that hangs is ended with all that it started, and its case has failed.</summary>
public sealed class LaunchLimitTests
{
    [Fact]
    public void A_process_that_hangs_is_killed_with_its_children()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a shell and /proc");
        HangingExecutor executor = new();

        ExecuteResult result = new LaunchLimit(TimeSpan.FromMilliseconds(500)).Run(executor, Parameters());

        LaunchResult launch = LaunchResult.Of("case", 1, result);
        Assert.Contains("did not end within", launch.Failure(), StringComparison.Ordinal);
        Assert.Contains("--launch-timeout", launch.Failure(), StringComparison.Ordinal);
        Assert.Equal(137, result.ExitCode);
        Assert.True(SpinWait.SpinUntil(() => !Runs(executor.ChildId), TimeSpan.FromSeconds(10)), "the child's own child still runs");
    }

    [Fact]
    public void A_launch_within_this_process_ends_the_run()
    {
        string? reason = null;
        using ManualResetEventSlim stuck = new();
        LaunchLimit limit = new(
            TimeSpan.FromMilliseconds(200),
            why =>
            {
                reason = why;
                stuck.Set();
            }
        );

        limit.Run(new WaitingExecutor(stuck), Parameters());

        Assert.StartsWith("a launch within this process did not end within", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_launch_in_time_is_left_as_it_is()
    {
        ExecuteResult result = new(true, 0, 1, [], [new LaunchEnded(1, null).Format()], [], 1);

        Assert.Same(result, new LaunchLimit(TimeSpan.FromMinutes(1)).Run(new AnsweringExecutor(result), Parameters()));
    }

    [Fact]
    public void A_launch_that_waits_for_its_turn_does_not_hang()
    {
        ExecuteResult result = new(true, 0, 1, [], [new LaunchEnded(1, null).Format()], [], 1);

        ExecuteResult left = new LaunchLimit(TimeSpan.FromMilliseconds(500)).Run(
            logger =>
            {
                logger.WriteLine(LogKind.Default, new TurnAwaited(HasEnough: false).Format());
                Thread.Sleep(1000);
                logger.WriteLine(LogKind.Default, new TurnTaken().Format());
                return result;
            },
            NullLogger.Instance,
            1
        );

        Assert.Same(result, left);
    }

    [Theory]
    [InlineData(0, "// L3P {\"kind\":\"iter", "printed a line that cannot be read: '// L3P {\"kind\":\"iter'")]
    [InlineData(134, "// L3P {\"kind\":\"iter", "ended with exit code 134: the signal SIGABRT, after the line '// L3P {\"kind\":\"iter'")]
    [InlineData(139, "", "ended with exit code 139: the signal SIGSEGV")]
    [InlineData(137, "", "the signal SIGKILL, as the system sends it when memory runs out")]
    [InlineData(
        0,
        """// L3P {"kind":"iteration","IsWarmUp":false,"Result":{"StartUtc":"2026-01-31T12:00:00+00:00","PromptTokens":4,"NewTokens":[1],"TokenMs":[1],"PrefillMs":1,"ResetMs":0}}""",
        "ended with exit code 0 after 1 iterations, before its work was done"
    )]
    [InlineData(
        0,
        """// L3P {"kind":"iteration","IsWarmUp":false,"Result":{"StartUtc":"2026-01-31T12:00:00+00:00","PromptTokens":4,"NewTokens":[1,2],"TokenMs":[1],"PrefillMs":1,"ResetMs":0}}""",
        "printed a line that cannot be read"
    )]
    [InlineData(0, "// L3P null", "printed a line that cannot be read")]
    [InlineData(0, """// L3P {"kind":"failed","Error":null}""", "printed a line that cannot be read")]
    public void A_launch_that_ended_badly_says_how(int exitCode, string line, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && exitCode > 128, "no signals");

        Assert.Contains(
            expected,
            new LaunchResult("case", 1, exitCode, line.Length > 0 ? [line] : [], []).Failure(),
            StringComparison.Ordinal
        );
    }

    // One that only waits for its parent to take note is dead.
    private static bool Runs(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1][0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static ExecuteParameters Parameters()
    {
        BenchmarkCase benchmark = BenchmarkConverter.TypeToBenchmarks(typeof(Nothing), ManualConfig.CreateEmpty()).BenchmarksCases[0];
        var generated = GenerateResult.Success(ArtifactsPaths.Empty, []);
        return new ExecuteParameters(
            BuildResult.Success(generated),
            benchmark,
            new BenchmarkId(0, benchmark),
            NullLogger.Instance,
            BenchmarkDotNet.Environments.EnvironmentResolver.Instance,
            1
        );
    }

    /// <summary>A benchmark that nobody runs.</summary>
    public class Nothing
    {
        [Benchmark]
        public void Run() { }
    }

    private sealed class AnsweringExecutor(ExecuteResult result) : IExecutor
    {
        public ExecuteResult Execute(ExecuteParameters executeParameters) => result;
    }

    private sealed class WaitingExecutor(ManualResetEventSlim until) : IExecutor
    {
        public ExecuteResult Execute(ExecuteParameters executeParameters)
        {
            until.Wait();
            return new ExecuteResult(true, 0, 1, [], [], [], 1);
        }
    }

    // Like BenchmarkDotNet's: starts a process, passes its lines on, waits for its end.
    private sealed class HangingExecutor : IExecutor
    {
        public int ChildId { get; private set; }

        public ExecuteResult Execute(ExecuteParameters executeParameters)
        {
            using Process process = Process.Start(
                new ProcessStartInfo("sh", ["-c", "sleep 60 & echo $!; wait"]) { RedirectStandardOutput = true, UseShellExecute = false }
            )!;
            ChildId = int.Parse(process.StandardOutput.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);
            executeParameters.Logger.WriteLine(LogKind.Default, new ProcessStarted(process.Id).Format());
            process.WaitForExit();
            return new ExecuteResult(true, process.ExitCode, process.Id, [], [], [], 1);
        }
    }
}
