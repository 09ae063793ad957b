using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>A driver that computes something else: from the plan to the gate's exit code.</summary>
[Collection(nameof(CliSession))]
public sealed class WrongEngineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-wrong-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_provider_that_computes_garbage_is_red_in_the_gate_by_its_name()
    {
        PlannedCase right = Plan(logits => logits);
        Assert.Equal((VerificationStatus.Passed, null), (right.Verification.Status, right.Failure));
        Assert.Equal((0.0, 100.0), (right.Verification.KlNats!.Value, right.Verification.TopPercent!.Value));

        PlannedCase wrong = Plan(logits => [.. logits.AsEnumerable().Reverse()]);
        Assert.Equal(VerificationStatus.Failed, wrong.Verification.Status);
        Assert.True(wrong.Verification.KlNats > wrong.Verification.KlLimitNats);
        Assert.False(wrong.IsRunnable);

        Run good = SyntheticRuns.Of("good", [right.Key]);
        Run red = good with
        {
            Identity = good.Identity with { RunId = "red" },
            Cases = [OutcomeReader.NotMeasured(wrong) with { CaseId = good.Cases[0].CaseId }],
        };
        RunWriter.Write(good, At("good"));
        RunWriter.Write(red, At("red"));
        (int exitCode, string output, _) = CliSession.Run("gate", "--baseline", At("good"), "--current", At("red"));

        Assert.Equal((int)Llama3Perf.Results.Gate.GateExitCode.Incomparable, exitCode);
        Assert.Contains(right.CaseId, output, StringComparison.Ordinal);
        const string reason = "failed: verification failed: against llama-tiny on ort/cpu: 'pp15': logits differ by ";
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_in_a_decode_step_alone_is_found()
    {
        int calls = 0;
        PlannedCase wrong = Plan(logits => ++calls == 20 ? [.. logits.AsEnumerable().Reverse()] : logits);

        Assert.Equal(VerificationStatus.Failed, wrong.Verification.Status);
        Assert.Contains(" of their spread at greedy token ", wrong.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Turned_off_nothing_is_loaded() =>
        Assert.Equal(VerificationStatus.Off, Plan(_ => throw new InvalidOperationException(), verify: "off").Verification.Status);

    [Fact]
    public void A_model_too_large_for_the_CPU_is_unverified_with_the_reason()
    {
        PlannedCase planned = Plan(_ => throw new InvalidOperationException(), memory: 1000);

        Assert.Equal((VerificationStatus.Unverified, null), (planned.Verification.Status, planned.Failure));
        Assert.StartsWith("no reference: the model needs about 0.0 GB of memory", planned.Verification.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_references_answers_are_kept_for_the_next_run()
    {
        Plan(logits => logits);
        string file = Directory.GetFiles(Path.Combine(_folder, "models", ".references")).Single();
        DateTime written = File.GetLastWriteTimeUtc(file);

        Assert.Equal(VerificationStatus.Passed, Plan(logits => logits).Verification.Status);

        Assert.Equal(file, Directory.GetFiles(Path.Combine(_folder, "models", ".references")).Single());
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
    }

    private string At(string name) => Path.Combine(_folder, name);

    private PlannedCase Plan(Func<float[], float[]> logits, string? verify = null, long? memory = null)
    {
        SuiteOptions options = new()
        {
            Models = ["llama-tiny"],
            Precisions = [Precision.Int4],
            Prompts = ["pp8"],
            MaxLengths = [24],
            Threads = 1,
            Verify = verify,
        };
        PlanContext context = new(options, new MachineInfo(), new ModelPreparation(At("models"))) { AvailableMemory = () => memory };
        return new CasePlanner(context).Plan([new EngineChoice(new WrongFamily(logits), "genai", ExecutionProvider.Cpu)]).Single();
    }

    /// <summary>ort under another engine's name, whose logits a driver got wrong.</summary>
    private sealed class WrongFamily(Func<float[], float[]> logits) : EngineFamily
    {
        public override IReadOnlyList<string> Names => ["genai"];

        public override IReadOnlyList<ExecutionProvider> Places(string engine) => [ExecutionProvider.Cpu];

        public override Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options) =>
            Inference.Availability.Yes;

        public override ExecutionProvider? BestPlace(string engine, PlanContext context) => ExecutionProvider.Cpu;

        public override IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context)
        {
            ModelFolder folder = context.Models.Prepare(new ModelBuildOptions { Model = model, Precision = Precision.Int4 });
            EngineKind ort = EngineCatalog.Get("ort");
            yield return new CaseSubject(engine, "cpu", model)
            {
                ModelName = folder.Name,
                Path = folder.Path,
                Folder = folder,
                Kind = ort with { Name = engine, Load = (loaded, options) => new WrongEngine(ort.Load(loaded, options), logits) },
                Sha256 = context.Models.Fingerprint(folder),
                IsReal = false,
                Precision = "int4",
                BlockSize = 32,
                EngineOptions = context.EngineOptions(engine, ExecutionProvider.Cpu),
                Tokenizer = context.TokenizerOf(folder.Path),
            };
        }
    }

    private sealed class WrongEngine(IEngine inner, Func<float[], float[]> logits) : IEngine
    {
        public EngineDescription Description => inner.Description;

        public void Reset(int maxLength) => inner.Reset(maxLength);

        public void Prefill(ReadOnlySpan<int> prompt) => inner.Prefill(prompt);

        public int NextToken() => inner.NextToken();

        public float[] LastLogits() => logits(inner.LastLogits());

        public void Dispose() => inner.Dispose();
    }
}
