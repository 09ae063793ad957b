using System.CommandLine;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>The program's command line: verbs, and how mistakes are reported.</summary>
internal static class Cli
{
    /// <summary>Runs a command line.</summary>
    /// <returns>The exit code; see <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args)
    {
        try
        {
            return RunParsed(args);
        }
#pragma warning disable CA1031 // The one place where everything that nobody expected ends: in a line and a file, not in a stack trace.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Failure.Show(exception);
        }
    }

    private static int RunParsed(string[] args)
    {
        RequireCurrentDirectory();
        Option<string?> telemetry = Telemetry();
        RootCommand root = Create();
        root.Add(telemetry);

        // A prompt may begin with @, so there are no response files.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            throw new UsageException(string.Join("; ", parsed.Errors.Select(error => error.Message)));
        }

        // What the main job does not know is BenchmarkDotNet's; the other verbs have nobody to pass it to.
        if (parsed.UnmatchedTokens.Count > 0 && parsed.CommandResult.Command is not RootCommand and not { Name: "run" })
        {
            throw new UsageException(
                $"{string.Join(' ', parsed.UnmatchedTokens)}: {parsed.CommandResult.Command.Name} has no such option; see "
                    + $"{parsed.CommandResult.Command.Name} --help"
            );
        }

        if (parsed.GetValue(telemetry) == "on")
        {
            Inference.Native.Telemetry.LeaveOn();
        }

        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    // Everything relative would fail later, each in its own words.
    private static void RequireCurrentDirectory()
    {
        try
        {
            _ = Environment.CurrentDirectory;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(
                $"the current directory is gone or closed to this program ({exception.Message}); change to another one"
            );
        }
    }

    /// <summary>The one option of all verbs.</summary>
    public static Option<string?> Telemetry()
    {
        Option<string?> telemetry = OptionFactory.Value(
            "--telemetry",
            "on leaves the telemetry of Microsoft's native libraries as it comes; else it is off.",
            OptionFactory.OneOf(("on", "on"), ("off", "off")),
            "on|off"
        );
        telemetry.Recursive = true;
        return telemetry;
    }

    private static RootCommand Create()
    {
        RootCommand root = new(
            """
            Tokens per second of Llama-3 inference on ONNX Runtime.

            Without a verb it runs the main job and writes results.md, results.csv and samples.csv.
            Options that are not listed here go to BenchmarkDotNet: --filter, --list flat, --exporters, ...
            """
        );
        new RunCommand().AddTo(root);
        Command run = new("run", "Measures and writes the files of a run; the default.");
        new RunCommand().AddTo(run);
        root.Add(run);
        root.Add(BuildCommand.Create());
        root.Add(CheckpointCommand.Create());
        root.Add(GenerateCommand.Create());
        root.Add(InspectCommand.Create());
        root.Add(VerifyCommand.Create());
        root.Add(DiagnoseCommand.Create());
        root.Add(QualityCommand.Create());
        root.Add(ProbeCommand.Create());
        root.Add(CompareCommand.Create());
        root.Add(GateCommand.Create());
        root.Add(AbCommand.Create());
        root.Add(NoiseCommand.Create());
        root.Add(ReportCommand.Create());
        root.Add(ExportCommand.Create());
        root.Add(PairsCommand.Create());
        root.Add(SimulateCommand.Create());
        root.Add(SpinCommand.Create());
        root.Add(LaunchCommands.Launch());
        root.Add(LaunchCommands.Serve());
        return root;
    }
}
