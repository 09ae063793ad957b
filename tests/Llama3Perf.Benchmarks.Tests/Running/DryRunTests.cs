using System.Diagnostics;
using System.Text.RegularExpressions;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>What <c>--dry-run</c> shows, and that it is as plain as where it goes: into a pipe, on a terminal, in any language.</summary>
[Collection(nameof(CliSession))]
public sealed partial class DryRunTests : IDisposable
{
    private static readonly string[] s_arguments =
    [
        "--dry-run",
        "--quick",
        "--model",
        "llama-tiny",
        "--engine",
        "ort",
        "--provider",
        "cpu",
        "--precision",
        "INT4",
        "--prompt",
        "pp8,pp64",
        "--max-length",
        "32",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-dry-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void It_lists_cases_and_skips_with_their_reason_and_a_time_and_makes_nothing()
    {
        string output = Path.Combine(_folder, "run");
        (int exitCode, string text, string error) = CliSession.Run([.. s_arguments, "--output", output]);
        string[] lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains(lines, line => Heading().IsMatch(line));
        Assert.Contains(lines, line => Case().IsMatch(line));
        Assert.Contains(
            lines,
            line =>
                line.Contains("pp64", StringComparison.Ordinal) && line.Contains("leaves no room for new ones", StringComparison.Ordinal)
        );
        Assert.Matches(@"^1 case, 1 launch of \d+ \+ \d+ generations each.*: about \d+ s, .*Nothing was measured\.$", lines[^1]);
        Assert.False(Directory.Exists(output));
    }

    [Theory]
    [InlineData("de_DE.UTF-8", "xterm-256color")]
    [InlineData("tr_TR.UTF-8", "dumb")]
    public void A_pipe_gets_plain_text_in_any_language(string language, string terminal)
    {
        (int exitCode, string output, string error) = Run(language, terminal, s_arguments);

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains(output.Split('\n'), line => Case().IsMatch(line.Trim()));
        Assert.DoesNotContain('\u001b', output);
        Assert.DoesNotContain('\r', output.Replace("\r\n", "\n", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("de_DE.UTF-8")]
    [InlineData("tr_TR.UTF-8")]
    public void Numbers_have_a_dot_in_any_language(string language)
    {
        (int exitCode, string output, _) = Run(
            language,
            "dumb",
            ["simulate-gate", "--design", "3x5", "--between", "0.5%", "--within", "1%", "--trials", "20", "--threshold", "2.5%"]
        );

        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("0.5 %", output, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"\d,\d", output);
    }

    /// <summary>util-linux's <c>script</c> gives the program a terminal. What .NET says to one at its start is no colour.</summary>
    [Theory]
    [InlineData("xterm-256color", "", true)]
    [InlineData("xterm-256color", "1", false)]
    [InlineData("dumb", "", false)]
    public void A_terminal_has_colours_unless_it_is_told_not_to(string terminal, string noColour, bool isColoured)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "needs util-linux's script");
        string[] program = [ProgramProcess.Program, .. s_arguments];
        ProcessStartInfo start = new("/usr/bin/script", ["-qec", string.Join(' ', program.Select(word => $"'{word}'")), "/dev/null"])
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        (start.Environment["TERM"], start.Environment["NO_COLOR"]) = (terminal, noColour);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        Assert.Equal(0, process.ExitCode);
        Assert.Contains("Nothing was measured.", output, StringComparison.Ordinal);
        Assert.Equal(isColoured, Colour().IsMatch(output));
        Assert.True(terminal != "dumb" || !output.Contains('\u001b', StringComparison.Ordinal));
    }

    private (int ExitCode, string Output, string Error) Run(string language, string terminal, string[] arguments) =>
        ProgramProcess.Run(_folder, arguments, ("LC_ALL", language), ("LANG", language), ("TERM", terminal));

    [GeneratedRegex(@"^int4 +llama-tiny +ort on cpu +\d+ s$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Case();

    [GeneratedRegex("^case +model +where +about$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Heading();

    [GeneratedRegex("\u001b\\[[0-9;]*m", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Colour();
}
