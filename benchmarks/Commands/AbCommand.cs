using System.CommandLine;
using System.CommandLine.Parsing;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>ab</c>: two builds, two ONNX Runtimes or two sets of options, launched in turn until every case is decided.</summary>
internal static class AbCommand
{
    // Each launch is a process, and how many there are is decided as they come.
    private static readonly string[] s_notForSides =
    [
        "--launches",
        "--until",
        "--budget",
        "--order",
        "--seed",
        "--isolation",
        "--resume",
        "--dry-run",
        "--trust-invocation",
        "--output",
        "--expect-model",
    ];

    // Looked at once, by this process.
    private static readonly string[] s_once = ["--wait-idle", "--strict"];

    public static Command Create()
    {
        Option<string?> build = OptionFactory.Value(
            "--baseline-build",
            "Folder of the baseline's program, as dotnet build wrote it; this program is the other side.",
            OptionFactory.Text,
            "folder"
        );
        Option<string?> runtime = OptionFactory.Value(
            "--baseline-runtime-dir",
            "Folder of the baseline's native libraries; --runtime-dir, or the packaged ones, are the other side's.",
            OptionFactory.Text,
            "folder"
        );
        Option<string?> options = OptionFactory.Value(
            "--baseline-options",
            "Options of run, as one text, which the baseline has instead of those of the same name: \"--spin off\".",
            OptionFactory.Text,
            "options"
        );
        Option<Budget?> budget = OptionFactory.Value<Budget?>(
            "--budget",
            "When to give up what is not decided: a time from the first launch on, or a number of blocks a case. Default: 10m.",
            OptionFactory.BudgetOf,
            "time|n"
        );
        Option<string?> turns = OptionFactory.Value<string?>(
            "--turns",
            "What alternates between the sides: generations of two launches that are loaded at once, or whole launches, where memory holds "
                + "one model only. Default: generations.",
            OptionFactory.OneOf<string?>(("generations", "generations"), ("launches", "launches")),
            "generations|launches"
        );
        Option<int?> seed = OptionFactory.Value<int?>(
            "--seed",
            "Of the order of the launches. Default: drawn, and recorded.",
            text => OptionFactory.Integer(0)(text),
            "n"
        );
        Option<string?> output = OptionFactory.Value(
            "--output",
            "Folder of both runs and the verdict. Default: artifacts/results/ab-<run-id>.",
            OptionFactory.Text,
            "folder"
        );
        Command command = new(
            "ab",
            "Measures a baseline and this side in turn until every case is decided: 0 pass, 1 regression, 2 incomparable or failed, 3 "
                + "inconclusive, 64 usage. What run is told, both sides are told."
        )
        {
            build,
            runtime,
            options,
            budget,
            turns,
            seed,
            output,
        };
        VerdictOptions decides = new();
        decides.AddTo(command);
        RunCommand run = new();
        run.AddOptionsTo(command, s_notForSides);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(build) is null && parsed.GetValue(runtime) is null && parsed.GetValue(options) is null)
            {
                throw new UsageException(
                    "ab needs a baseline: --baseline-build folder, --baseline-runtime-dir folder, or --baseline-options \"...\""
                );
            }

            string folder = Path.GetFullPath(
                parsed.GetValue(output) ?? Path.Combine(Workspace.Results, $"ab-{RunId.New(DateTimeOffset.UtcNow)}")
            );
            int drawn = parsed.GetValue(seed) ?? Random.Shared.Next(1_000_000);
            SuiteOptions common = run.Read(parsed);
            ParseResult own = BaselineOptions(parsed.GetValue(options), parsed.GetValue(runtime));
            string[] ofBaseline =
            [
                .. Arguments(parsed, option => IsForSides(option) && !IsGiven(own, option)),
                .. Arguments(own, _ => true),
            ];
            AlternatingRun pair = new(
                Side("baseline", parsed.GetValue(build) is { } dir ? SuiteProgram.In(dir) : SuiteProgram.This, ofBaseline),
                Side("current side", SuiteProgram.This, Arguments(parsed, IsForSides)),
                decides.Read(parsed),
                parsed.GetValue(budget) ?? common.Budget,
                drawn,
                common,
                parsed.GetValue(turns) != "launches"
            );
            SequentialVerdict verdict = pair.Measure(folder);
            Console.WriteLine();
            Console.WriteLine(SequentialReport.Text(verdict));
            VerdictOptions.Summarize(SequentialReport.Markdown(verdict));
            return (int)verdict.ExitCode;

            bool IsForSides(string option) => run.Has(option) && !s_notForSides.Contains(option) && !s_once.Contains(option);

            SideProgram Side(string label, SuiteProgram program, IReadOnlyList<string> arguments) =>
                new(label, program, [.. arguments, "--seed", $"{drawn}"], Path.Combine(folder, label.Split(' ')[0]));
        });
        return command;
    }

    private static ParseResult BaselineOptions(string? text, string? runtime)
    {
        string[] words =
        [
            .. text is null ? [] : CommandLineParser.SplitCommandLine(text),
            .. runtime is null ? (string[])[] : ["--runtime-dir", Path.GetFullPath(runtime)],
        ];
        ParseResult parsed = new RunCommand().Parse(words);
        string? wrong =
            parsed.Errors.Count > 0 ? parsed.Errors[0].Message
            : parsed.UnmatchedTokens is [var unknown, ..] ? $"{unknown} is no option of run"
            : s_notForSides.Concat(s_once).FirstOrDefault(name => IsGiven(parsed, name)) is { } other ? $"{other} is not for one side"
            : null;
        return wrong is null ? parsed : throw new UsageException($"--baseline-options: {wrong}");
    }

    private static bool IsGiven(ParseResult parsed, string option) => Given(parsed).Any(given => given.Option.Name == option);

    private static IEnumerable<OptionResult> Given(ParseResult parsed) =>
        parsed.CommandResult.Children.OfType<OptionResult>().Where(option => !option.Implicit);

    private static string[] Arguments(ParseResult parsed, Func<string, bool> isWanted) =>
        [
            .. Given(parsed)
                .Where(option => isWanted(option.Option.Name))
                .SelectMany(option =>
                    option.Tokens.Count == 0
                        ? [option.Option.Name]
                        : option.Tokens.SelectMany(token => (string[])[option.Option.Name, token.Value])
                ),
        ];
}
