using System.Diagnostics;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>The suite itself, in-process, on the smallest shape.</summary>
[Collection(nameof(CliSession))]
public sealed class SuiteTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-suite-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_quick_run_measures_every_case_on_every_engine_and_writes_its_files()
    {
        (int exitCode, string output, string error) = Measure(
            "--precision",
            "int4",
            "--prompt",
            "OpenVINO is",
            "--prompt",
            "pp8",
            "--max-length",
            "24"
        );

        Assert.Equal("", error);
        Assert.Equal(ExitCode.Success, exitCode);
        Run run = RunReader.Read(RunPath, withTokens: true).Single();
        string[] engines =
        [
            .. EngineCatalog.All.Where(kind => kind.Availability(ExecutionProvider.Cpu).IsAvailable).Select(kind => kind.Name).Order(),
        ];
        Assert.Equal(
            from engine in engines
            from prompt in (int[])[1, 2]
            select engine,
            run.Cases.Select(outcome => outcome.Case.Engine).Order()
        );
        Assert.Equal(
            2,
            run.Cases.Where(outcome => outcome.Case.Engine != "llama.cpp")
                .Select(outcome => outcome.Samples[0].OutputSha256)
                .Distinct()
                .Count()
        );
        Assert.Equal(engines.Contains("genai"), run.Environment.GenAiVersion is not null);
        Assert.Equal(64, run.Environment.OrtSha256?.Length);
        Assert.All(
            run.Cases,
            outcome =>
            {
                Assert.Equal(CaseStatus.Ok, outcome.Status);
                Assert.Equal("synthetic", outcome.Case.Weights);
                Assert.All(
                    outcome.Samples,
                    sample =>
                    {
                        Assert.True(sample.Completed);
                        Assert.Equal(24, sample.PromptTokens + sample.NewTokens);
                        Assert.True(sample.TtftMs >= sample.PrefillMs);
                        Assert.Equal(sample.NewTokens, sample.TokenMs.Count);
                    }
                );
                Assert.Single(outcome.Samples.Select(sample => sample.OutputSha256).Distinct());
            }
        );
        Assert.Contains("tok/s", output, StringComparison.Ordinal);
        Assert.Contains(RunPath, output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(RunPath, "results.md")));
        Assert.Single(Directory.EnumerateFiles(RunPath, "*-report-full.json"));
        Assert.Single(Directory.EnumerateFiles(RunPath, "*-report-github.md"));
    }

    [Fact]
    public void What_cannot_run_is_a_skipped_row_with_its_reason()
    {
        (int exitCode, string output, _) = Measure("--engine", "ort", "--precision", "int4", "--prompt", "pp8,pp40", "--max-length", "24");

        Assert.Equal(ExitCode.Success, exitCode);
        CaseOutcome skipped = RunReader.Read(RunPath).Single().Cases.Single(outcome => outcome.Status == CaseStatus.Skipped);
        Assert.Equal("pp40", skipped.Case.PromptId);
        Assert.Contains("leaves no room", skipped.Error, StringComparison.Ordinal);
        Assert.Contains("leaves no room", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_measures_nothing_is_no_success()
    {
        (int exitCode, _, _) = Measure("--engine", "ort", "--precision", "int4", "--prompt", "pp40", "--max-length", "24");

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Equal(CaseStatus.Skipped, RunReader.Read(RunPath).Single().Cases.Single().Status);
    }

    [Fact]
    public void A_case_that_fails_is_a_failed_row_and_the_others_go_on()
    {
        string broken = BrokenModel();

        (int exitCode, _, _) = CliSession.Run(
            "--quick",
            "--isolation",
            "none",
            "--model",
            $"{broken},llama-tiny",
            "--engine",
            "ort",
            "--block-size",
            "64",
            "--prompt",
            "pp8",
            "--max-length",
            "16",
            "--iterations",
            "2",
            "--output",
            RunPath
        );

        Assert.Equal(ExitCode.Failed, exitCode);
        Run run = RunReader.Read(RunPath).Single();
        CaseOutcome failed = run.Cases.Single(outcome => outcome.Status == CaseStatus.Failed);
        Assert.NotNull(failed.Error);
        Assert.Equal(CaseStatus.Ok, run.Cases.Single(outcome => outcome != failed).Status);
    }

    [Fact]
    public void A_folder_that_cannot_be_opened_is_a_failed_row_whatever_its_damage()
    {
        (string Name, Action<string> Damage)[] damages =
        [
            ("no-config", model => File.Delete(Path.Combine(model, "genai_config.json"))),
            ("cut-config", model => File.WriteAllText(Path.Combine(model, "genai_config.json"), "{ \"model\": ")),
            ("no-graph", model => File.Delete(Path.Combine(model, "model.onnx"))),
            ("other-graph", model => File.WriteAllText(Path.Combine(model, "model.onnx"), "This is no graph.")),
            ("cut-graph", model => Cut(Path.Combine(model, "model.onnx"))),
            ("cut-data", model => Cut(Path.Combine(model, "model.onnx.data"))),
            ("no-tokenizer", model => File.Delete(Path.Combine(model, "tokenizer.json"))),
            ("folder", model => Replace(Path.Combine(model, "tokenizer.json"), file => Directory.CreateDirectory(file))),
        ];
        // Windows has no pipes in folders, and links only for who has the right.
        if (!OperatingSystem.IsWindows())
        {
            damages =
            [
                .. damages,
                ("pipe", model => Replace(Path.Combine(model, "genai_config.json"), file => Process.Start("mkfifo", [file]).WaitForExit())),
                ("circle", model => Replace(Path.Combine(model, "model.onnx"), file => File.CreateSymbolicLink(file, file))),
            ];
        }

        string whole = CopyOfTinyModel();
        string[] models =
        [
            .. damages.Select(damage =>
            {
                string model = Directory.CreateDirectory(Path.Combine(_folder, damage.Name)).FullName;
                foreach (string file in Directory.EnumerateFiles(whole))
                {
                    File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
                }

                damage.Damage(model);
                return model;
            }),
        ];

        (int exitCode, string output, string error) = CliSession.Run(
            "--quick",
            "--engine",
            "ort",
            "--isolation",
            "none",
            "--model",
            $"{string.Join(',', models)},llama-tiny",
            "--prompt",
            "pp8",
            "--max-length",
            "16",
            "--iterations",
            "1",
            "--output",
            RunPath
        );

        Assert.True(exitCode == ExitCode.Failed, output + error);
        CaseOutcome[] outcomes = [.. RunReader.Read(RunPath).Single().Cases];
        Assert.Equal([.. damages.Select(damage => damage.Name), "llama-tiny"], outcomes.Select(outcome => outcome.Case.ModelName));
        Assert.Equal(CaseStatus.Ok, outcomes[^1].Status);
        Assert.All(
            outcomes.SkipLast(1),
            outcome =>
            {
                Assert.Equal(CaseStatus.Failed, outcome.Status);
                Assert.DoesNotContain("bug", outcome.Error, StringComparison.Ordinal);
                Assert.Contains(outcome.Case.ModelName, outcome.Error, StringComparison.Ordinal);
            }
        );
    }

    [Fact]
    public void A_folder_that_is_no_run_is_not_overwritten()
    {
        Directory.CreateDirectory(RunPath);
        File.WriteAllText(Path.Combine(RunPath, "thesis.txt"), "years of work");

        (int exitCode, _, string error) = Measure("--precision", "int4");

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains("is not a run folder", error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(RunPath, "thesis.txt")));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("not-json")]
    [InlineData("truncated")]
    [InlineData("not-onnx")]
    public void A_broken_folder_is_one_line(string flaw)
    {
        string model = CopyOfTinyModel();
        switch (flaw)
        {
            case "empty":
                File.Delete(Path.Combine(model, "genai_config.json"));
                break;
            case "not-json":
                File.WriteAllText(Path.Combine(model, "genai_config.json"), "{ \"model\": ");
                break;
            case "truncated":
                File.WriteAllBytes(Path.Combine(model, "model.onnx.data"), new byte[100]);
                break;
            default:
                File.WriteAllText(Path.Combine(model, "model.onnx"), "This is no graph.");
                break;
        }

        (int exitCode, _, string error) = CliSession.Run("generate", "--model", model, "--prompt", "pp4", "--max-length", "8");

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Generate_streams_text_and_ends_with_the_times()
    {
        (int exitCode, string output, string error) = CliSession.Run(
            "generate",
            "--model",
            "llama-tiny",
            "--prompt",
            "OpenVINO is",
            "--max-length",
            "40"
        );

        Assert.Equal("", error);
        Assert.Equal(ExitCode.Success, exitCode);
        string last = output.TrimEnd().Split('\n')[^1];
        Assert.Matches(
            @"^llama-tiny.* prompt \+ \d+ new tokens, TTFT [\d.]+ ms, prefill [\d.]+ tok/s, decode [\d.]+ tok/s, end to end [\d.]+ tok/s",
            last
        );
    }

    private string RunPath => Path.Combine(_folder, "run");

    private (int ExitCode, string Output, string Error) Measure(params string[] arguments) =>
        CliSession.Run(["--quick", "--isolation", "none", "--model", "llama-tiny", "--iterations", "2", "--output", RunPath, .. arguments]);

    private static void Cut(string file)
    {
        using FileStream stream = File.OpenWrite(file);
        stream.SetLength(stream.Length / 2);
    }

    private static void Replace(string file, Action<string> make)
    {
        File.Delete(file);
        make(file);
    }

    private string CopyOfTinyModel()
    {
        string model = Path.Combine(_folder, "model");
        (int exitCode, _, string error) = CliSession.Run("build", "--model", "llama-tiny", "--output", model);
        Assert.Equal("", error);
        Assert.Equal(ExitCode.Success, exitCode);
        return model;
    }

    // Opens like a good folder, and fails when ONNX Runtime reads the graph.
    private string BrokenModel()
    {
        string model = CopyOfTinyModel();
        string graph = Path.Combine(model, "model.onnx");
        byte[] bytes = File.ReadAllBytes(graph);
        int operation = bytes.AsSpan().IndexOf("SkipSimplifiedLayerNormalization"u8);
        "SlipSimplifiedLayerNormalization"u8.CopyTo(bytes.AsSpan(operation));
        File.WriteAllBytes(graph, bytes);
        return model;
    }
}
