using System.Diagnostics;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class SystemCommandTests
{
    [Fact]
    public void A_tool_that_is_not_there_is_null() => Assert.Null(SystemCommand.Output("llama3perf-no-such-tool"));

    [Fact]
    public void Arguments_arrive_as_they_are_and_both_pipes_are_emptied()
    {
        AssertShell();
        Assert.Equal(
            "a b|\"\n",
            SystemCommand.Output("sh", "-c", "printf '%s|%s\\n' \"$1\" \"$2\"; head -c 200000 /dev/zero >&2", "sh", "a b", "\"")
        );
    }

    [Fact]
    public void A_failure_is_null_whatever_was_printed()
    {
        AssertShell();
        Assert.Null(SystemCommand.Output("sh", "-c", "echo half; exit 9"));
    }

    [Fact]
    public void A_tool_that_hangs_is_ended_with_its_children()
    {
        AssertShell();
        Stopwatch clock = Stopwatch.StartNew();

        Assert.Null(SystemCommand.Output(TimeSpan.FromMilliseconds(100), "sh", "-c", "sleep 60; true"));
        // Far from both 100 ms and a minute: this asserts that nobody waited for the tool's end, not how long it took.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void What_hung_once_is_not_asked_again()
    {
        AssertShell();
        string mark = Path.Combine(Directory.CreateTempSubdirectory("l3p-hung-").FullName, "asked");
        string script = $"echo asked >> '{mark}'; sleep 60; true";

        Assert.Null(SystemCommand.Output(TimeSpan.FromSeconds(1), "sh", "-c", script));
        Assert.Null(SystemCommand.Output(TimeSpan.FromSeconds(1), "sh", "-c", script));

        Assert.True(!File.Exists(mark) || File.ReadAllLines(mark).Length == 1);
        Directory.Delete(Path.GetDirectoryName(mark)!, recursive: true);
    }

    private static void AssertShell() => Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "no sh on this system");
}
