using System.CommandLine;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>gate</c>: red when throughput fell. The rule is VerdictRule in Llama3Perf.Results/Statistics.</summary>
internal static class GateCommand
{
    public static Command Create()
    {
        Option<string?> baseline = OptionFactory.Value(
            "--baseline",
            "Run folder, samples.csv, or a pattern over several good runs ('baselines/*').",
            OptionFactory.Text,
            "run"
        );
        Option<string?> current = OptionFactory.Value("--current", "Run folder or samples.csv to judge.", OptionFactory.Text, "run");
        VerdictOptions decides = new();
        Option<string?> noise = OptionFactory.Value(
            "--noise",
            "Noise record of this machine (the verb noise writes it): decides where launches are few.",
            OptionFactory.Text,
            "file"
        );
        Option<bool> confirm = OptionFactory.Flag("--confirm", "Measures red cases again here; they stay red only if red twice.");
        Option<string?> baselineBuild = OptionFactory.Value(
            "--baseline-build",
            "Folder of the baseline's program: --confirm then measures both sides again, launch by launch in turn.",
            OptionFactory.Text,
            "folder"
        );
        Option<string?> json = OptionFactory.Value("--json", "Writes the verdict to a file.", OptionFactory.Text, "file");
        Option<bool> force = OptionFactory.Force();
        Option<bool> partial = OptionFactory.Flag(
            "--allow-partial",
            "Judges parts of runs too: interrupted ones, a samples.csv alone, metrics that some samples lack."
        );
        Option<bool> trust = OptionFactory.Flag(
            "--trust-invocation",
            "Lets --confirm take programs, libraries and their options from the folder of the current run."
        );
        baseline.Required = true;
        current.Required = true;
        Command command = new(
            "gate",
            "Fails when throughput fell: 0 pass, 1 regression, 2 incomparable or missing, 3 inconclusive, 64 usage."
        )
        {
            baseline,
            current,
            noise,
            confirm,
            baselineBuild,
            trust,
            partial,
            json,
            force,
        };
        decides.AddTo(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(baselineBuild) is not null && !parsed.GetValue(confirm))
            {
                throw new UsageException("--baseline-build goes with --confirm");
            }

            IReadOnlyList<Run> good = ResultsVerb.Read([parsed.GetRequiredValue(baseline)!]);
            Run judged = ResultsVerb.ReadOne(parsed.GetRequiredValue(current)!, "--current");
            GateVerdict verdict = RegressionGate.Judge(
                good,
                judged,
                decides.Read(parsed) with
                {
                    AllowPartial = parsed.GetValue(partial),
                    Noise = parsed.GetValue(noise) is { } file ? NoiseRecord.Read(file) : null,
                }
            );
            if (parsed.GetValue(confirm) && verdict.RedCases.Count > 0)
            {
                if (!parsed.GetValue(trust))
                {
                    string source = Confirmation.FolderOf(judged);
                    InvocationRules.Require(
                        new RunCommand().Parse(RunInvocation.Read(source).Arguments),
                        Path.Combine(source, RunInvocation.FileName)
                    );
                }

                verdict = Confirmation.Measure(verdict, good, judged, parsed.GetValue(baselineBuild), parsed.GetValue(trust));
            }

            return Report(verdict, parsed.GetValue(json), parsed.GetValue(force));
        });
        return command;
    }

    private static int Report(GateVerdict verdict, string? json, bool force)
    {
        Console.WriteLine(GateReport.Text(verdict));
        if (json is not null)
        {
            GateReport.WriteJson(verdict, json, force);
        }

        VerdictOptions.Summarize(GateReport.Markdown(verdict));
        return (int)verdict.ExitCode;
    }
}
