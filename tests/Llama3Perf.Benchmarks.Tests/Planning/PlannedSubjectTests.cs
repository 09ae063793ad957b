using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>What an engine measures becomes cases, whatever engine it is.</summary>
[Collection(nameof(CliSession))]
public sealed class PlannedSubjectTests : IDisposable
{
    private static readonly SuiteOptions s_one = new()
    {
        Models = ["one"],
        Prompts = ["pp8"],
        MaxLengths = [24],
        Threads = 3,
        Verify = "off",
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-subjects-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<Exception> Reasons =>
        [new ModelException("no"), new EngineException("no"), new IOException("no"), new UnauthorizedAccessException("no")];

    [Theory]
    [MemberData(nameof(Reasons), DisableDiscoveryEnumeration = true)]
    public void A_model_that_cannot_be_opened_fails_alone(Exception why)
    {
        SuiteOptions options = s_one with { Models = ["/models/bad/", "good"], Precisions = [Precision.Int8] };

        IReadOnlyList<PlannedCase> cases = Plan(options, model => model == "good" ? Subject(model) : throw why);

        Assert.Equal([("bad", "no", null), ("good", null, null)], cases.Select(one => (one.Key.ModelName, one.Failure, one.SkipReason)));
        CaseKey bad = cases[0].Key;
        Assert.Equal(("scripted", "cpu", "int8", "synthetic", 3), (bad.Engine, bad.Provider, bad.Precision, bad.Weights, bad.Threads));
    }

    [Fact]
    public void A_model_that_is_there_and_cannot_be_opened_is_somebodys() =>
        Assert.Equal(
            "real",
            Plan(s_one with { Models = [_folder, "good"] }, model => model == "good" ? Subject(model) : throw new ModelException("no"))[
                0
            ].Key.Weights
        );

    [Fact]
    public void What_is_wrong_with_the_program_itself_is_no_models_failure() =>
        Assert.Throws<InvalidOperationException>(() =>
            Plan(s_one with { Models = ["bad", "good"] }, model => model == "good" ? Subject(model) : throw new InvalidOperationException())
        );

    [Fact]
    public void Where_no_model_can_be_opened_the_first_reason_is_the_answer() =>
        Assert.Equal(
            "one is bad",
            Assert
                .Throws<ModelException>(() =>
                    Plan(s_one with { Models = ["one", "two"] }, model => throw new ModelException($"{model} is bad"))
                )
                .Message
        );

    [Fact]
    public void Without_engines_there_is_nothing_to_measure() => Assert.Empty(new CasePlanner(ScriptedFamily.Context(s_one)).Plan([]));

    [Theory]
    [InlineData(null, "unknown", 3)]
    [InlineData(ExecutionProvider.Cpu, "cpu", 3)]
    [InlineData(ExecutionProvider.Cuda, "cuda", 3)]
    public void A_model_that_cannot_be_opened_is_shown_where_it_was_to_run(ExecutionProvider? provider, string name, int threads)
    {
        PlannedCase planned = Broken(s_one, provider);

        Assert.Equal((name, threads, "unknown"), (planned.Key.Provider, planned.Key.Threads, planned.Key.Precision));
        Assert.Equal(provider ?? ExecutionProvider.Cpu, planned.EngineOptions.Provider);
    }

    [Fact]
    public void Only_the_CPU_has_threads_that_nobody_asked_for()
    {
        SuiteOptions options = s_one with { Threads = null };

        Assert.True(Broken(options, ExecutionProvider.Cpu).Key.Threads > 0);
        Assert.Null(Broken(options, ExecutionProvider.Cuda).Key.Threads);
    }

    [Fact]
    public void A_model_that_cannot_be_opened_has_failed_whatever_its_prompts() =>
        Assert.Equal(
            [(null, "no"), ("the prompt has 8 tokens and --max-length 4 leaves no room for new ones", null)],
            Plan(
                    s_one with
                    {
                        Models = ["bad", "good"],
                        MaxLengths = [4],
                    },
                    model => model == "good" ? Subject(model) : throw new ModelException("no")
                )
                .Select(planned => (planned.SkipReason, planned.Failure))
        );

    [Fact]
    public void One_case_twice_is_refused_by_its_name()
    {
        string message = Assert.Throws<UsageException>(() => Plan(s_one with { Models = ["one", "one"] }, Subject)).Message;

        Assert.StartsWith($"two cases are named {CaseId.For(Plan(s_one, Subject)[0].Key)}: ", message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => Plan(s_one with { Prompts = ["pp8", "pp8"] }, Subject));
    }

    [Fact]
    public void To_an_engine_that_draws_its_own_tokens_prompts_of_one_length_are_one()
    {
        PlannedCase planned = Assert.Single(
            Plan(s_one with { Prompts = ["pp8", "pp8"], ChatTemplates = ["llama3"] }, model => Drawing(model))
        );

        Assert.Equal(("pp8", null, "none"), (planned.Key.PromptId, planned.Key.PromptSha256, planned.Key.ChatTemplate));
    }

    [Fact]
    public void A_case_that_was_named_is_the_only_one()
    {
        string wanted = Plan(s_one, Subject)[0].CaseId;

        PlannedCase planned = Assert.Single(Plan(s_one with { Models = ["one", "two"], Cases = [wanted] }, Subject));

        Assert.Equal(wanted, planned.CaseId);
    }

    [Fact]
    public void A_case_that_is_not_there_is_refused_with_those_that_are()
    {
        string there = Plan(s_one, Subject)[0].CaseId;

        Assert.Equal(
            $"--case: there is no 'x' among {there}",
            Assert.Throws<UsageException>(() => Plan(s_one with { Cases = [there, "x"] }, Subject)).Message
        );
    }

    [Fact]
    public void What_cannot_run_is_not_verified()
    {
        IReadOnlyList<PlannedCase> cases = [];
        IReadOnlyList<string> said = CliSession.Lines(() =>
            cases = Plan(
                s_one with
                {
                    Models = ["bad", "skipped", "good"],
                    Verify = null,
                },
                model =>
                    model switch
                    {
                        "bad" => throw new ModelException("no"),
                        "skipped" => Subject(model) with { Skip = "no GPU" },
                        _ => Subject(model),
                    }
            )
        );

        Assert.Equal(
            [("no", null, null), (null, "no GPU", null), (null, null, VerificationStatus.Unverified)],
            cases.Select(planned => (planned.Failure, planned.SkipReason, planned.Verification.Status))
        );
        Assert.Equal(
            "Not verified: good int4 on scripted/cpu: its program shows neither logits nor tokens.",
            Assert.Single(said, line => line.Contains("scripted/cpu", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void Each_subject_has_the_prompts_of_its_own_tokenizer()
    {
        // Two forms of one model, one of them without BOS: the same number draws other tokens.
        PromptTokenizer with = PromptTokenizer.For(ScriptedFamily.TinyFolder);
        PromptTokenizer without = PromptTokenizer.For(ScriptedFamily.TinyFolder with { BosTokenId = null });
        ScriptedFamily family = new(
            (model, _) =>
                model == "one"
                    ?
                    [
                        Subject(model) with
                        {
                            Precision = "fp32",
                            Tokenizer = with,
                        },
                        Subject(model) with
                        {
                            Precision = "fp16",
                            Tokenizer = without,
                        },
                        Subject(model) with
                        {
                            Precision = "int8",
                        },
                    ]
                    : [Subject(model)]
        );

        IReadOnlyList<PlannedCase> cases = ScriptedFamily.Plan(s_one with { Models = ["one", "two"] }, family);

        int[] first = with.Tokenize(Prompt.Parse("pp8"), PromptForm.Plain).TokenIds;
        int[] second = without.Tokenize(Prompt.Parse("pp8"), PromptForm.Plain).TokenIds;
        Assert.NotEqual(first, second);
        Assert.Equal([first, second, first, []], cases.Select(planned => planned.PromptTokens));
        Assert.Equal(
            [TokenIds.Sha256(first), TokenIds.Sha256(second), TokenIds.Sha256(first), null],
            cases.Select(planned => planned.Key.PromptSha256)
        );
    }

    [Fact]
    public void A_text_is_tokenized_in_its_chat_template_and_timed()
    {
        IReadOnlyList<PlannedCase> cases = Plan(
            s_one with
            {
                Prompts = ["OpenVINO is", "pp8"],
                MaxLengths = [99],
                ChatTemplates = ["llama3"],
            },
            model => Subject(model) with { Tokenizer = PromptTokenizer.For(ScriptedFamily.TinyFolder), TakesText = model == "text" }
        );

        Assert.Equal(["llama3", "llama3"], cases.Select(planned => planned.Key.ChatTemplate));
        Assert.Contains("<|start_header_id|>user", cases[0].PromptText, StringComparison.Ordinal);
        Assert.Equal(cases[0].PromptTokens.Count, cases[0].Key.PromptTokens);
        Assert.True(cases[0].TokenizeMs > 0);
        Assert.Equal((null, null), (cases[1].PromptText, cases[1].TokenizeMs));
    }

    [Fact]
    public void A_text_is_a_case_in_each_of_several_templates_and_ids_are_one()
    {
        IReadOnlyList<PlannedCase> cases = Plan(
            s_one with
            {
                Prompts = ["OpenVINO is", "pp8"],
                MaxLengths = [99],
                ChatTemplates = ["llama3", "none"],
            },
            model => Subject(model) with { Tokenizer = PromptTokenizer.For(ScriptedFamily.TinyFolder) }
        );

        Assert.Equal(["llama3", "none", "llama3"], cases.Select(planned => planned.Key.ChatTemplate));
        Assert.True(cases[0].Key.PromptTokens > cases[1].Key.PromptTokens);
        Assert.Equal("OpenVINO is", cases[1].PromptText);
    }

    [Fact]
    public void An_engine_that_takes_texts_is_given_the_text()
    {
        IReadOnlyList<PlannedCase> cases = Plan(
            s_one with
            {
                Prompts = ["OpenVINO is", "pp8"],
                MaxLengths = [4],
            },
            model => Subject(model) with { TakesText = true }
        );

        Assert.Equal(
            [("OpenVINO is", null), ("", "scripted takes texts, and pp8 is made of token ids")],
            cases.Select(planned => (planned.PromptText, planned.SkipReason))
        );
        Assert.All(cases, planned => Assert.Empty(planned.PromptTokens));
        Assert.All(cases, planned => Assert.Null(planned.TokenizeMs));
    }

    [Fact]
    public void A_text_beside_a_tokenizer_is_given_as_it_was_tokenized()
    {
        PlannedCase planned = Plan(
            s_one with
            {
                Prompts = ["OpenVINO is"],
                ChatTemplates = ["llama3"],
            },
            model => Subject(model) with { Tokenizer = PromptTokenizer.For(ScriptedFamily.TinyFolder), TakesText = true }
        )[0];

        Assert.Contains("<|start_header_id|>user", planned.PromptText, StringComparison.Ordinal);
    }

    [Fact]
    public void What_an_engine_cannot_do_at_all_is_said_first() =>
        Assert.Equal(
            "no GPU",
            Plan(s_one with { MaxLengths = [4] }, model => Subject(model) with { Skip = "no GPU", TakesText = true })[0].SkipReason
        );

    [Theory]
    [InlineData("OpenVINO is", true, null)]
    [InlineData("OpenVINO is", false, "scripted takes a number of tokens, and nothing here counts those of a text")]
    [InlineData("pp30", true, "the prompt has 30 tokens and --max-length 24 leaves no room for new ones")]
    [InlineData("pp30", false, "the prompt has 30 tokens and --max-length 24 leaves no room for new ones")]
    public void A_text_that_nothing_counts_is_skipped_once_models_are_built(string prompt, bool isDryRun, string? reason)
    {
        PlannedCase planned = Plan(s_one with { Prompts = [prompt], DryRun = isDryRun }, Subject)[0];

        Assert.Equal(reason, planned.SkipReason?.Split("; ")[0]);
        Assert.Null(planned.PromptText);
    }

    [Fact]
    public void Texts_of_one_name_that_nothing_counts_are_two_cases()
    {
        string file = Path.Combine(_folder, "hello");
        File.WriteAllText(file, "something else");

        IReadOnlyList<PlannedCase> cases = Plan(s_one with { Prompts = ["hello", $"@{file}"], DryRun = true }, Subject);

        Assert.Equal(["hello", "hello"], cases.Select(planned => planned.Key.PromptId));
        Assert.Equal(2, cases.Select(planned => planned.CaseId).Distinct().Count());
    }

    [Theory]
    [InlineData("pp8", 13)]
    [InlineData("OpenVINO is", 5)]
    public void New_tokens_come_after_the_prompt(string prompt, int maxLength) =>
        Assert.Equal(
            maxLength,
            Plan(s_one with { Prompts = [prompt], MaxLengths = null, NewTokens = 5, DryRun = true }, Subject)[0].Key.MaxLength
        );

    [Fact]
    public void What_was_skipped_has_neither_failed_nor_a_program()
    {
        IReadOnlyList<PlannedCase> cases = Plan(
            s_one with
            {
                MaxLengths = [24, 4],
            },
            model => Subject(model) with { Peer = length => new PeerOptions("p", "b") { MaxLength = length } }
        );
        IReadOnlyList<PlannedCase> worthless = Plan(
            s_one with
            {
                MaxLengths = [24, 4],
                Verify = null,
            },
            model => Subject(model) with { Failure = "worth nothing" }
        );

        Assert.Equal([24, null], cases.Select(planned => planned.Peer?.MaxLength));
        Assert.Equal(["worth nothing", null], worthless.Select(planned => planned.Failure));
        Assert.Equal([true, false], worthless.Select(planned => planned.SkipReason is null));
    }

    [Theory]
    [InlineData(Isolation.None, true)]
    [InlineData(Isolation.Process, false)]
    public void A_model_stays_loaded_where_everything_is_one_process(Isolation isolation, bool isKept) =>
        Assert.Equal(isKept, Plan(s_one with { Isolation = isolation }, Subject)[0].KeepModelLoaded);

    [Fact]
    public void A_case_says_how_the_suite_was_built() =>
        Assert.Equal(ScriptedFamily.IsDebugged ? "Debug" : "Release", Plan(s_one, Subject)[0].Key.BuildConfiguration);

    [Fact]
    public void What_measures_itself_is_none_of_the_generations()
    {
        IReadOnlyList<PlannedCase> cases = Plan(
            s_one with
            {
                Models = ["own", "ours", "skipped"],
            },
            model => Subject(model) with { BenchProgram = model == "own" ? "bench" : null, Skip = model == "skipped" ? "no GPU" : null }
        );

        SuitePlan plan = new(cases, []);

        Assert.Equal(["own", "ours"], plan.Runnable.Select(planned => planned.Key.ModelName));
        Assert.Equal(["ours"], plan.Generations.Select(planned => planned.Key.ModelName));
    }

    private static CaseSubject Subject(string model) => ScriptedFamily.Subject(model);

    private static CaseSubject Drawing(string model) => Subject(model) with { DrawsOwnTokens = true };

    private static IReadOnlyList<PlannedCase> Plan(SuiteOptions options, Func<string, CaseSubject> subject) =>
        ScriptedFamily.Plan(options, subject);

    // Beside one that can be opened.
    private static PlannedCase Broken(SuiteOptions options, ExecutionProvider? provider)
    {
        ScriptedFamily family = new((model, _) => model == "good" ? [Subject(model)] : throw new ModelException("no"));
        PlanContext context = ScriptedFamily.Context(options with { Models = ["bad", "good"] });
        return new CasePlanner(context).Plan([new EngineChoice(family, "scripted", provider)])[0];
    }
}
