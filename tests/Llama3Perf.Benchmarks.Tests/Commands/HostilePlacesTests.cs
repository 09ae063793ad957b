using System.Diagnostics;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>The program where a terminal is closed, a disk is full, a folder is gone: one line, no stack trace, and nothing replaced that
/// is not its own.</summary>
public sealed class HostilePlacesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-places-").FullName;

    public HostilePlacesTests()
    {
        SyntheticRuns.Of("run-1", [SyntheticRuns.Case()]).Write(At("run"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("report run --output r.html > /dev/full", "standard output cannot be written: No space left on device", 2)]
    [InlineData("report run --output r.html >&-", "standard output cannot be written", 2)]
    [InlineData("report run --output /dev/full", "/dev/full cannot be written: No space left on device", 2)]
    public void A_place_that_takes_nothing_is_one_line(string command, string expected, int exitCode) =>
        AssertLine(Shell($"$L3P {command}"), expected, exitCode);

    [Theory]
    [InlineData("folder: the value is empty", "inspect", "")]
    [InlineData("run: the value is empty", "compare", "")]
    [InlineData("--output: the value is empty", "checkpoint", "--output", "")]
    [InlineData("--peer-option: 'a' is given twice: '1' and '2'", "--peer-option", "a=1", "--peer-option", "a=2")]
    public void A_value_that_says_nothing_is_one_line(string expected, params string[] arguments) =>
        AssertLine(ProgramProcess.Run(_folder, arguments), expected, 64);

    [Theory]
    [InlineData("compare pipe run", "pipe is no regular file")]
    [InlineData("compare run /dev/zero", "/dev/zero is no regular file")]
    [InlineData("rm run/results.csv && mkfifo run/results.csv && $L3P report run", "run/results.csv is no regular file")]
    [InlineData("gate --baseline run --current run --noise pipe", "pipe is no regular file")]
    [InlineData("generate --model model --prompt @pipe", "'pipe' cannot be read")]
    [InlineData("generate --model model --prompt @/dev/zero", "'/dev/zero' cannot be read")]
    [InlineData("verify model --reference pipe", "pipe is no reference that can be read")]
    [InlineData(
        "rm checkpoint/model.safetensors && mkfifo checkpoint/model.safetensors && $L3P inspect checkpoint",
        "model.safetensors is"
    )]
    [InlineData("build --model pipe", "pipe is not JSON")]
    public void A_pipe_or_device_is_no_input(string command, string expected)
    {
        string[] steps = command.Split("&&");
        string last = steps[^1].Trim();
        string program = last.StartsWith("$L3P", StringComparison.Ordinal) ? last : $"$L3P {last}";
        string make =
            command.Contains("checkpoint", StringComparison.Ordinal) ? "$L3P checkpoint --model llama-tiny --output checkpoint > made"
            : command.Contains(" model --", StringComparison.Ordinal) ? "$L3P build --model llama-tiny --output model > made"
            : "true";

        AssertLine(Shell(string.Join("&&", ["mkfifo pipe", make, .. steps[..^1], $"timeout 60 {program}"])), expected, 2);
    }

    [Fact]
    public void A_current_directory_that_is_gone() =>
        AssertLine(Shell("mkdir gone && cd gone && rmdir ../gone && $L3P inspect x"), "the current directory is gone", 64);

    [Theory]
    [InlineData(60)]
    [InlineData(90)]
    [InlineData(120)]
    public void Too_few_open_files_are_one_line_or_enough(int limit)
    {
        (int exitCode, string output, string error) = Shell($"ulimit -n {limit}; $L3P report run --output r.html");

        // The runtime itself may need more than there are, and then it speaks before the program does.
        Assert.SkipWhen(exitCode > 128, $"the runtime does not start with {limit} files");
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
        Assert.True(exitCode == 0 || error.TrimEnd().Split('\n').Length == 1, error);
    }

    [Fact]
    public void A_device_and_a_link_stay_what_they_are()
    {
        Assert.Equal(0, Shell("mkfifo pipe && (cat pipe > copy.html &) && $L3P report run --output pipe").ExitCode);
        Assert.Equal(0, Shell("test -p pipe").ExitCode);

        Assert.Equal(
            0,
            Shell(
                "touch target.html && ln -s target.html link.html && $L3P report run --output link.html && test -L link.html && test -s "
                    + "target.html"
            ).ExitCode
        );
        Assert.Contains("<title>", Shell("$L3P report run --output /dev/stdout | cat").Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(_folder), file => file.EndsWith(".partial", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("report run --output mine.csv")]
    [InlineData("gate --baseline run --current run2 --json mine.csv")]
    public void A_file_of_somebody_else_is_not_replaced(string command)
    {
        SyntheticRuns.Of("run-2", [SyntheticRuns.Case()]).Write(At("run2"));
        File.WriteAllText(At("mine.csv"), "a,b\n1,2\n");

        AssertLine(Shell($"$L3P {command}"), "mine.csv is there and was not written by this verb", 2);
        Assert.Equal("a,b\n1,2\n", File.ReadAllText(At("mine.csv")));

        Assert.NotEqual(2, Program($"{command} --force").ExitCode);
        Assert.NotEqual("a,b\n1,2\n", File.ReadAllText(At("mine.csv")));

        // What it wrote itself it replaces.
        Assert.NotEqual(2, Program(command).ExitCode);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private static void AssertLine((int ExitCode, string Output, string Error) result, string expected, int exitCode)
    {
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.StartsWith("error: ", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.Equal(exitCode, result.ExitCode);
    }

    private (int ExitCode, string Output, string Error) Program(string command) => ProgramProcess.Run(_folder, command.Split(' '));

    private (int ExitCode, string Output, string Error) Shell(string command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a shell and Linux's devices");
        ProcessStartInfo start = new("sh", ["-c", command])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["L3P"] = ProgramProcess.Program;
        start.Environment["TMPDIR"] = _folder;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
