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
public sealed class CaseVerificationTests : IDisposable
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
    public void A_program_is_held_against_a_folder_of_the_same_weights()
    {
        List<int?> lengths = [];

        VerificationOutcome outcome = OfProgram(
            planned =>
            {
                lengths.Add(planned.Peer?.MaxLength);
                return Program();
            },
            Tested()
        );

        Assert.Equal((VerificationStatus.Passed, 100.0), (outcome.Status, outcome.TopPercent));
        Assert.Equal("tokens alone, against llama-tiny on ort/cpu: 64 of 64 agree", outcome.Detail);
        // Room for the longest prompt of the verification and its new tokens, whatever the case has.
        Assert.Equal([64 + 32], lengths);
    }

    [Fact]
    public void A_program_is_held_against_what_another_engines_file_was_made_of()
    {
        ModelFolder folder = ScriptedFamily.TinyFolder;
        CaseSubject gguf = Tested("llama.cpp") with
        {
            Folder = folder with { Format = ModelFormat.Gguf, Path = "/no/folder" },
            Kind = EngineCatalog.Get("llama.cpp"),
        };

        VerificationOutcome made = OfProgram(_ => Program(isFloat: true), gguf with { Source = folder });
        VerificationOutcome beside = OfProgram(_ => Program(), gguf, Tested());
        VerificationOutcome alone = OfProgram(
            s_program with
            {
                Model = "another",
            },
            _ => Program(),
            others: gguf with
            {
                Model = "another",
            }
        );

        Assert.Equal([100.0, 100.0], new[] { made, beside }.Select(outcome => outcome.TopPercent));
        Assert.Equal(VerificationStatus.Unverified, alone.Status);
        Assert.StartsWith("no reference: ", alone.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_is_verified_at_each_precision()
    {
        CaseSubject program = ScriptedFamily.Subject("llama-tiny", "program") with
        {
            Path = "/checkpoint",
            Peer = length => new PeerOptions("p", "b") { MaxLength = length },
        };
        ScriptedFamily family = new(
            (_, _) => [Tested(), program, program with { Precision = "int8" }],
            planned => Program(planned.Key.Precision == "int8" ? Shifted : null)
        );

        Assert.Equal(
            [VerificationStatus.Reference, VerificationStatus.Passed, VerificationStatus.Failed],
            Plan(Options(["pp8"]), family).Select(planned => planned.Verification.Status!.Value)
        );
    }

    [Fact]
    public void A_program_with_other_tokens_has_failed()
    {
        VerificationOutcome outcome = OfProgram(_ => Program(Shifted), Tested());

        Assert.Equal(VerificationStatus.Failed, outcome.Status);
        Assert.StartsWith("'pp15': token 1 is ", outcome.Detail, StringComparison.Ordinal);
        Assert.Equal(0, outcome.TopPercent);
    }

    [Fact]
    public void A_program_that_cannot_load_has_failed()
    {
        VerificationOutcome outcome = OfProgram(_ => throw new EngineException("no such device"), Tested());

        Assert.Equal((VerificationStatus.Failed, "no such device"), (outcome.Status, outcome.Detail));
    }

    [Fact]
    public void A_program_beside_no_folder_of_its_weights_is_held_against_them_in_fp32()
    {
        CaseSubject twin = Tested();
        CaseSubject[] others =
        [
            twin with
            {
                Folder = null,
            },
            twin with
            {
                Skip = "no memory",
            },
            twin with
            {
                Model = "another",
            },
            twin with
            {
                Precision = "int8",
            },
        ];

        VerificationOutcome right = OfProgram(_ => Unquantized(), others);
        VerificationOutcome wrong = OfProgram(_ => Program(Shifted), others);

        Assert.Equal((VerificationStatus.Passed, VerificationStatus.Failed), (right.Status, wrong.Status));
        Assert.Equal(
            "tokens alone, against llama-tiny on ort/cpu in fp32: 64 of 64 agree; what is within int4's margin, 0.45 of the logits' "
                + "spread, counts as a tie",
            right.Detail
        );
    }

    [Fact]
    public void A_program_that_quantizes_by_itself_is_a_finding_within_the_margin_of_its_precision()
    {
        CaseSubject quantizes = s_program with { HasOwnNumbers = true };

        VerificationOutcome outcome = OfProgram(quantizes, _ => Unquantized(), others: Tested());
        VerificationOutcome wrong = OfProgram(quantizes, _ => Program(Shifted), others: Tested());
        // Our own int4, of random weights: each prompt's first token is within the margin, and none is that of fp32.
        VerificationOutcome far = OfProgram(quantizes, _ => Program(), others: Tested());

        Assert.Equal((VerificationStatus.Passed, VerificationStatus.Failed), (outcome.Status, wrong.Status));
        Assert.Contains("against llama-tiny on ort/cpu in fp32: ", outcome.Detail, StringComparison.Ordinal);
        Assert.Equal(VerificationStatus.Unverified, far.Status);
        Assert.EndsWith("; where not one agrees that proves nothing", far.Detail, StringComparison.Ordinal);
        Assert.EndsWith(
            "the program quantizes by itself, so this is a finding and no proof of the same weights",
            outcome.Detail,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_program_is_held_against_the_folder_that_its_file_was_made_of()
    {
        CaseSubject converted = s_program with { Model = "another", Source = ScriptedFamily.TinyFolder };

        VerificationOutcome outcome = OfProgram(converted, _ => Program(isFloat: true));

        Assert.Equal("tokens alone, against llama-tiny on ort/cpu: 64 of 64 agree", outcome.Detail);
    }

    [Fact]
    public void With_a_file_a_program_is_held_against_that_first()
    {
        string file = WriteReference();

        VerificationOutcome right = OfProgram(s_program, _ => Program(), file);
        VerificationOutcome wrong = OfProgram(s_program with { Precision = "int8" }, _ => Program(Shifted), file);

        Assert.Equal((VerificationStatus.Passed, 100.0), (right.Status, right.TopPercent));
        Assert.StartsWith("tokens alone, against reference.json: 32 of 32 agree; ", right.Detail, StringComparison.Ordinal);
        Assert.Equal(VerificationStatus.Failed, wrong.Status);
        Assert.StartsWith("'fifteen': token 1 is ", wrong.Detail, StringComparison.Ordinal);
        Assert.Empty(Kept());
    }

    [Fact]
    public void A_token_that_a_file_cannot_judge_is_judged_by_ort()
    {
        // The file has the logits of the prompt's last position alone.
        string file = WriteReference();
        Func<PlannedCase, IGenerator> later = _ => Program(tokens => [.. tokens[..5], .. Shifted(tokens[5..])]);

        VerificationOutcome beside = OfProgram(s_program, later, file, others: Tested());
        VerificationOutcome alone = OfProgram(s_program with { Model = "another" }, later, file);
        VerificationOutcome exact = OfProgram(s_program with { Precision = "fp32" }, later, file);

        Assert.StartsWith("'pp15': token 6 is ", beside.Detail, StringComparison.Ordinal);
        Assert.Equal(VerificationStatus.Unverified, alone.Status);
        Assert.StartsWith("'fifteen': token 6 is ", alone.Detail, StringComparison.Ordinal);
        Assert.EndsWith(
            ", and reference.json has no logits there that would tell a tie from a fault",
            alone.Detail,
            StringComparison.Ordinal
        );
        // Two computations in fp32 have no ties.
        Assert.Equal(VerificationStatus.Failed, exact.Status);
    }

    [Fact]
    public void A_program_whose_weights_are_too_large_for_the_CPU_is_not_verified()
    {
        VerificationOutcome outcome = OfProgram(s_program, _ => throw new InvalidOperationException(), memory: 1000, others: Tested());

        Assert.Equal(VerificationStatus.Unverified, outcome.Status);
        Assert.StartsWith("no reference: the model needs about ", outcome.Detail, StringComparison.Ordinal);
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

    private static ChangedGenerator Program(Func<int[], int[]>? change = null, bool isFloat = false) =>
        new(
            new EngineGenerator(s_ort.Load(ScriptedFamily.TinyFolder, new EngineOptions { Threads = 1, FloatActivations = isFloat })),
            change ?? (tokens => tokens)
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

    /// <summary>A program whose tokens are changed.</summary>
    private sealed class ChangedGenerator(IGenerator inner, Func<int[], int[]> change) : IGenerator
    {
        public EngineDescription Description => inner.Description;

        public GenerationResult Generate(ReadOnlySpan<int> prompt, int maxLength)
        {
            GenerationResult result = inner.Generate(prompt, maxLength);
            return result with { NewTokens = change(result.NewTokens) };
        }

        public void Dispose() => inner.Dispose();
    }
}
