using System.Text.Json;
using System.Text.Json.Nodes;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>What a case's answers are held against before it is timed.</summary>
[Collection(nameof(CliSession))]
public sealed partial class CaseVerificationTests : IDisposable
{
    private static readonly EngineKind s_ort = EngineCatalog.Get("ort");

    private static readonly CaseSubject s_program = ScriptedFamily.Subject("llama-tiny") with
    {
        Peer = length => new PeerOptions("p", "b") { MaxLength = length },
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-verified-").FullName;
    private int _loads;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Ort_on_the_CPU_is_the_reference_itself_and_says_nothing()
    {
        VerificationOutcome outcome = new();
        IReadOnlyList<string> said = CliSession.Lines(() => outcome = Verified(Tested() with { Kind = Counted(s_ort) }));

        Assert.Equal(new VerificationOutcome { Status = VerificationStatus.Reference }, outcome);
        Assert.DoesNotContain(said, line => line.Contains("llama-tiny int4 on ort/cpu", StringComparison.Ordinal));
        Assert.Equal(0, _loads);
    }

    [Fact]
    public void Another_engine_is_held_against_it_once_for_all_its_prompts()
    {
        IReadOnlyList<PlannedCase> cases = [];
        IReadOnlyList<string> said = CliSession.Lines(() =>
            cases = Plan(["pp8", "pp9"], Tested("genai") with { Kind = Counted(s_ort), Sha256 = new string('a', 64) })
        );

        Assert.All(cases, planned => Assert.Equal((VerificationStatus.Passed, 0.0), Told(planned.Verification)));
        Assert.Equal(1, _loads);
        Assert.Equal(
            [
                "Verified: llama-tiny int4 on genai/cpu against llama-tiny on ort/cpu: logits differ by at most 0 of their spread over 64 "
                    + "greedy tokens.",
            ],
            said.Where(line => line.StartsWith("Verified: ", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void Other_options_or_threads_are_verified_again()
    {
        CaseSubject genai = Tested("genai") with { Kind = Counted(s_ort) };
        ScriptedFamily family = new(
            (_, _) =>
                [
                    genai,
                    genai with
                    {
                        OptionsText = "graph_optimization=none",
                    },
                    genai with
                    {
                        EngineOptions = genai.EngineOptions with { Threads = 2 },
                    },
                ]
        );

        Assert.All(Plan(Options(["pp8"]), family), planned => Assert.Equal(VerificationStatus.Passed, planned.Verification.Status));
        Assert.Equal(3, _loads);
    }

    /// <summary>Providers without activations of 8 bits, and engines that compute in another arithmetic than ONNX Runtime's, both computed
    /// here by <c>ort</c> with float activations.</summary>
    [Theory]
    [InlineData(ExecutionProvider.Cuda, true)]
    [InlineData(ExecutionProvider.Cpu, false)]
    [InlineData(ExecutionProvider.Cuda, false)]
    public void What_rounds_no_activations_is_held_against_float_ones(ExecutionProvider provider, bool isOnnxRuntime)
    {
        // Answers of the rounding kind, kept first, are not taken for the others.
        Assert.Equal((VerificationStatus.Passed, 0.0), Told(Verified(Tested("genai") with { Kind = Counted(s_ort) })));
        CaseSubject subject = Tested("genai") with
        {
            Kind = Floating() with { HasOnnxRuntimeArithmetic = isOnnxRuntime },
            EngineOptions = new EngineOptions { Provider = provider, Threads = 1 },
        };

        Assert.Equal((VerificationStatus.Passed, 0.0), Told(Verified(subject)));
        Assert.Equal(2, Kept().Count(name => name.Contains($"-{NativeLibraries.Loaded()[0].Version}-", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(ExecutionProvider.Cpu, 3)]
    [InlineData(ExecutionProvider.Cuda, null)]
    public void The_reference_takes_as_many_threads_as_the_CPU_was_given(ExecutionProvider provider, int? threads)
    {
        EngineOptions options = new() { Provider = provider, Threads = 3 };

        EngineOptions reference = CaseVerification.ReferenceOf(new VerifiedSide(ScriptedFamily.TinyFolder, "ort", options)).Options;

        Assert.Equal((ExecutionProvider.Cpu, threads), (reference.Provider, reference.Threads));
    }

    [Fact]
    public void A_file_in_another_format_is_held_against_the_folder_it_was_made_of()
    {
        // What ort reads of the file itself is a refusal.
        ModelFolder folder = ScriptedFamily.TinyFolder;
        CaseSubject gguf = Tested("llama.cpp") with
        {
            Folder = folder with { Format = ModelFormat.Gguf },
            Kind = s_ort with { Load = (_, options) => s_ort.Load(folder, options) },
        };

        Assert.Equal((VerificationStatus.Passed, 0.0), Told(Verified(gguf with { Source = folder })));
        Assert.Contains("ort cannot compute it on the CPU: ", Verified(gguf).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void An_engine_that_fails_has_failed_the_verification()
    {
        CaseSubject subject = Tested("genai") with { Kind = s_ort with { Load = (_, _) => throw new EngineException("no memory") } };

        VerificationOutcome outcome = Verified(subject);

        Assert.Equal((VerificationStatus.Failed, "no memory"), (outcome.Status, outcome.Detail));
        Assert.Equal(1e-5, outcome.KlLimitNats);
    }

    [Fact]
    public void With_a_file_ort_on_the_CPU_is_verified_too()
    {
        VerificationOutcome right = Verified(Tested(), WriteReference());
        VerificationOutcome wrong = Verified(Tested(), WriteReference(logits => [.. logits.AsEnumerable().Reverse()]));

        Assert.Equal((VerificationStatus.Passed, 0.0), Told(right));
        Assert.StartsWith("against reference.json: logits differ by at most 0 ", right.Detail, StringComparison.Ordinal);
        // The limit of weights that were quantized after the file was written.
        Assert.Equal(0.5, right.KlLimitNats);
        Assert.Equal(VerificationStatus.Failed, wrong.Status);
        Assert.Empty(Kept());
    }

    [Fact]
    public void A_file_of_another_model_fails_the_verification()
    {
        VerificationOutcome outcome = Verified(Tested(), WriteReference(logits => logits[..3]));

        Assert.Equal((VerificationStatus.Failed, 0.5), (outcome.Status, outcome.KlLimitNats));
        Assert.StartsWith("reference.json has 3 logits and the vocabulary of ", outcome.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void What_shows_neither_logits_nor_tokens_is_not_verified()
    {
        VerificationOutcome outcome = Verified(ScriptedFamily.Subject());

        Assert.Equal((VerificationStatus.Unverified, "its program shows neither logits nor tokens"), (outcome.Status, outcome.Detail));
    }

    private static (VerificationStatus?, double?) Told(VerificationOutcome outcome) => (outcome.Status, outcome.KlNats);

    private static SuiteOptions Options(IReadOnlyList<string> prompts, string? verify = null) =>
        new()
        {
            Models = ["llama-tiny"],
            Prompts = prompts,
            MaxLengths = [24],
            Verify = verify,
        };

    // The smallest shape as an engine measures it.
    private static CaseSubject Tested(string engine = "ort") =>
        ScriptedFamily.Subject("llama-tiny", engine) with
        {
            Folder = ScriptedFamily.TinyFolder,
            Kind = s_ort,
            Path = ScriptedFamily.TinyFolder.Path,
            Sha256 = new string('a', 64),
        };

    private static EngineKind Floating() =>
        s_ort with
        {
            Availability = _ => Availability.Yes,
            Load = (folder, options) => s_ort.Load(folder, options with { Provider = ExecutionProvider.Cpu, FloatActivations = true }),
        };

    // A program with the weights before they were quantized.
    private EngineGenerator Unquantized()
    {
        ModelBuildOptions options = new() { Model = "llama-tiny", Precision = Precision.Fp32 };
        return new EngineGenerator(s_ort.Load(new ModelPreparation(_folder).Prepare(options), new EngineOptions { Threads = 1 }));
    }

    private static int[] Shifted(int[] tokens) => [.. tokens.Select(token => (token + 1) % 1024)];

    private static ChangedGenerator Program(
        Func<int[], int[]>? change = null,
        bool isFloat = false,
        Func<float[], float[]>? showLogits = null
    ) =>
        new(
            new EngineGenerator(s_ort.Load(ScriptedFamily.TinyFolder, new EngineOptions { Threads = 1, FloatActivations = isFloat })),
            change ?? (tokens => tokens),
            showLogits
        );

    private EngineKind Counted(EngineKind kind) =>
        kind with
        {
            Load = (folder, options) =>
            {
                _loads++;
                return kind.Load(folder, options);
            },
        };

    private string[] Kept() =>
        Directory.Exists(Path.Combine(_folder, ".references"))
            ? [.. Directory.GetFiles(Path.Combine(_folder, ".references")).Select(file => Path.GetFileName(file)!)]
            : [];

    private IReadOnlyList<PlannedCase> Plan(SuiteOptions options, ScriptedFamily family) => ScriptedFamily.Plan(options, family, _folder);

    private IReadOnlyList<PlannedCase> Plan(IReadOnlyList<string> prompts, CaseSubject subject) =>
        Plan(Options(prompts), new ScriptedFamily((_, _) => [subject]));

    private VerificationOutcome Verified(CaseSubject subject, string? verify = null) =>
        Assert.Single(Plan(Options(["pp8"], verify), new ScriptedFamily((_, _) => [subject]))).Verification;

    private VerificationOutcome OfProgram(Func<PlannedCase, IGenerator> load, params CaseSubject[] others) =>
        OfProgram(s_program, load, others: others);

    // The outcome of a program beside other subjects.
    private VerificationOutcome OfProgram(
        CaseSubject program,
        Func<PlannedCase, IGenerator> load,
        string? verify = null,
        long memory = long.MaxValue,
        params CaseSubject[] others
    )
    {
        ScriptedFamily family = new((_, _) => [], load);
        PlanContext context = new(Options(["pp8"], verify), new Inference.Machine.MachineInfo(), new ModelPreparation(_folder))
        {
            AvailableMemory = () => memory,
        };
        return new CaseVerification(context).Of(program, PlannedCase.None, [program, .. others], family);
    }

    /// <summary>Writes what <c>ort</c> answers as another program would.</summary>
    private string WriteReference(Func<float[], float[]>? change = null)
    {
        VerifiedSide ort = new(ScriptedFamily.TinyFolder, "ort", new EngineOptions { Threads = 1 });
        ReferenceCase answer = ModelVerifier.Answers(ort, ort, ["pp15"]).Cases[0];
        JsonObject json = new()
        {
            ["cases"] = new JsonArray(
                new JsonObject
                {
                    ["prompt"] = "fifteen",
                    ["input_ids"] = JsonSerializer.SerializeToNode(answer.InputIds),
                    ["last_logits"] = JsonSerializer.SerializeToNode((change ?? (logits => logits))(answer.LastLogits)),
                    ["greedy_new_tokens"] = JsonSerializer.SerializeToNode(answer.GreedyTokens),
                }
            ),
        };
        string file = Path.Combine(_folder, "reference.json");
        File.WriteAllText(file, json.ToJsonString());
        return file;
    }

    /// <summary>A program whose tokens are changed, and which shows changed logits or none.</summary>
    private sealed class ChangedGenerator(IGenerator inner, Func<int[], int[]> change, Func<float[], float[]>? showLogits) : IGenerator
    {
        public EngineDescription Description => inner.Description;

        public GenerationResult Generate(ReadOnlySpan<int> prompt, int maxLength)
        {
            GenerationResult result = inner.Generate(prompt, maxLength);
            return result with { NewTokens = change(result.NewTokens) };
        }

        public GenerationResult GenerateShown(ReadOnlySpan<int> prompt, int maxLength)
        {
            using IEngine engine = s_ort.Load(ScriptedFamily.TinyFolder, new EngineOptions { Threads = 1 });
            engine.Reset(maxLength);
            engine.Prefill(prompt);
            return Generate(prompt, maxLength) with { LastLogits = showLogits?.Invoke(engine.LastLogits()) };
        }

        public void Dispose() => inner.Dispose();
    }
}
