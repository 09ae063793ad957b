using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>Engines that are other programs, through the whole verb: planned, limited by --case, and measured again by the gate.</summary>
[Collection(nameof(CliSession))]
public sealed class ProgramEngineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-programs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Case_limits_llama_bench_like_any_engine()
    {
        string[] arguments = [.. LlamaBench(), "--engine", "ort,llama-bench", "--precision", "int4", "--prompt", "pp4,pp8"];
        Assert.Equal((ExitCode.Success, ""), Run([.. arguments, "--output", At("all")]));
        IReadOnlyList<CaseOutcome> all = Cases("all");
        File.Delete(At("asked"));

        Assert.Equal((ExitCode.Success, ""), Run([.. arguments, "--case", all[3].CaseId, "--output", At("one")]));

        Assert.Equal(["ort", "ort", "llama-bench", "llama-bench"], all.Select(outcome => outcome.Case.Engine));
        Assert.Equal(all[3].CaseId, Assert.Single(Cases("one")).CaseId);
        // A launch is two programs.
        Assert.Equal(2, File.ReadLines(At("asked")).Count(line => line.Contains("-o json", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_red_case_of_llama_bench_is_measured_again() =>
        Confirms("llama-bench", [.. LlamaBench(), "--engine", "llama-bench", "--prompt", "pp8"]);

    [Fact]
    public void A_red_case_of_a_program_that_names_its_device_is_measured_again()
    {
        Assert.SkipWhen(PythonProgram.Find().Python is null, PythonProgram.Find().Reason ?? "no Python");
        string fake = Path.Combine(Fixtures.Root, "tests", "peers", "fake_peer.py");

        Confirms(
            "external:fake_peer",
            [
                .. "--precision fp32 --prompt pp8 --verify off --engine".Split(' '),
                $"external:{fake}",
                "--model",
                CheckpointFolder.Write(At("checkpoint")),
            ]
        );
    }

    private void Confirms(string engine, string[] arguments)
    {
        string[] all =
        [
            "--quick",
            "--isolation",
            "none",
            "--max-length",
            "16",
            "--warmup",
            "0",
            "--launches",
            "3",
            "--iterations",
            "2",
            .. arguments,
        ];
        (int measured, _, string measuredError) = CliSession.Run([.. all, "--output", At("measured")]);
        Assert.Equal((ExitCode.Success, ""), (measured, measuredError));
        Run real = RunReader.Read(At("measured")).Single();
        Assert.Equal(engine, Assert.Single(real.Cases).Case.Engine);
        string baseline = real.With("baseline", sample => Steady(sample, 1e6)).Write(At("baseline"));
        string current = real.With("current", sample => Steady(sample, 1e4)).Write(At("current"));
        new RunInvocation(Environment.CurrentDirectory, all).Write(current);

        (int exitCode, string output, string error) = CliSession.Run(
            "gate",
            "--baseline",
            baseline,
            "--current",
            current,
            "--metric",
            "decode_tps",
            "--confirm",
            "--trust-invocation"
        );

        Assert.Equal("", error);
        Assert.Contains($"Measuring 1 red cases again: {real.Cases[0].CaseId}", output, StringComparison.Ordinal);

        // Far below the baseline again: red, unless this machine was not fit to measure it.
        Assert.True(
            exitCode == ExitCode.Failed
                || (exitCode == (int)GateExitCode.Inconclusive && output.Contains("unsteady", StringComparison.Ordinal)),
            output
        );
    }

    [Fact]
    public void Launches_of_llama_bench_outlive_the_run_that_made_them()
    {
        string[] bench = LlamaBench();
        string[] command =
        [
            .. "run --isolation none --max-length 16 --launches 3 --iterations 2 --engine llama-bench --prompt pp4 --output".Split(' '),
            At("run"),
            .. bench,
        ];
        File.WriteAllText(At("hang"), "");
        using (ProgramProcess killed = new(_folder, command))
        {
            while (!killed.HasEnded && !(File.Exists(At("asked")) && File.ReadLines(At("asked")).Count(IsTest) >= 5))
            {
                Thread.Sleep(10);
            }

            killed.Signal("KILL");
            Assert.Equal(137, killed.Wait().ExitCode);
        }

        Run part = RunReader.Read(At("run")).Single();
        Assert.Equal((CaseStatus.Interrupted, 4), (part.Cases[0].Status, part.Cases[0].Samples.Count));
        File.Delete(At("hang"));

        (int exitCode, string output, string error) = ProgramProcess.Run(_folder, ["run", "--resume", At("run"), "--trust-invocation"]);

        Assert.True(exitCode == ExitCode.Success, output + error);
        CaseOutcome whole = RunReader.Read(At("run")).Single().Cases[0];
        Assert.Equal((CaseStatus.Ok, 6), (whole.Status, whole.Samples.Count));
        Assert.Equal(part.Cases[0].Samples.Select(sample => sample.StartUtc), whole.Samples.Take(4).Select(sample => sample.StartUtc));
        // Two tests for each of three launches, and the one that never ended.
        Assert.Equal(7, File.ReadLines(At("asked")).Count(IsTest));

        static bool IsTest(string arguments) => arguments.Contains("-r ", StringComparison.Ordinal);
    }

    private static Sample Steady(Sample sample, double rate) =>
        sample with
        {
            DecodeTps = rate * (1 + (0.05 * sample.LaunchIndex)),
            ItlP50Ms = 1,
            ItlP99Ms = 1,
            Conditions = Conditions.Unknown,
        };

    private static (int ExitCode, string Error) Run(string[] arguments)
    {
        (int exitCode, _, string error) = CliSession.Run([
            "--quick",
            "--isolation",
            "none",
            "--max-length",
            "16",
            "--iterations",
            "2",
            .. arguments,
        ]);
        return (exitCode, error);
    }

    private IReadOnlyList<CaseOutcome> Cases(string run) => RunReader.Read(At(run)).Single().Cases;

    private string At(string name) => Path.Combine(_folder, name);

    // Answers what it is asked: prompt, new tokens, depth and repetitions stand in its arguments.
    private string[] LlamaBench()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a shell");
        string program = At("llama-bench");
        File.WriteAllText(
            program,
            $$"""
            #!/bin/sh
            echo "$@" >> '{{At("asked")}}'
            if [ -f '{{At("hang")}}' ] && [ "$(grep -c -e '-r ' '{{At("asked")}}')" -ge 5 ]; then exec sleep 600; fi
            p=0 n=0 d=0 r=1
            while [ $# -gt 0 ]; do
              case "$1" in -p) p=$2;; -n) n=$2;; -d) d=$2;; -r) r=$2;; --list-devices) echo 'Available devices:'; exit 0;; esac
              shift
            done
            ns=8000000; i=1; while [ $i -lt $r ]; do i=$((i+1)); ns="$ns,8000000"; done
            ts=500; i=1; while [ $i -lt $r ]; do i=$((i+1)); ts="$ts,500"; done
            echo "[{\"build_commit\":\"abc\",\"build_number\":7,\"gpu_info\":\"\",\"backends\":\"CPU\",\"model_type\":\"llama 1B Q4_0\",\"n_threads\":4,\"n_prompt\":$p,\"n_gen\":$n,\"n_depth\":$d,\"samples_ns\":[$ns],\"samples_ts\":[$ts]}]"
            """ + "\n"
        );
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        File.WriteAllText(At("tiny-Q4_0.gguf"), "abc");
        return ["--model", "llama-tiny", "--llama-bench", program, "--gguf", At("tiny-Q4_0.gguf")];
    }
}
