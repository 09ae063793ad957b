using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Models;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Planning;

// Programs that give tokens, and logits after the prompt where they can.
public sealed partial class CaseVerificationTests
{
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
    public void Logits_of_a_program_are_held_against_the_references()
    {
        VerificationOutcome right = OfProgram(_ => Program(showLogits: logits => logits), Tested());
        VerificationOutcome wrong = OfProgram(_ => Program(showLogits: logits => [.. logits.AsEnumerable().Reverse()]), Tested());
        VerificationOutcome file = OfProgram(s_program, _ => Program(showLogits: logits => logits), WriteReference());

        Assert.Equal((VerificationStatus.Passed, 0.0, 0.03, 100.0), (right.Status, right.KlNats, right.KlLimitNats, right.TopPercent));
        Assert.Equal(
            "against llama-tiny on ort/cpu: last logits differ by at most 0 of their spread over 2 prompts, KL 0 nats, "
                + "64 of 64 tokens agree",
            right.Detail
        );
        // The tokens are the reference's own.
        Assert.Equal((VerificationStatus.Failed, 100.0), (wrong.Status, wrong.TopPercent));
        Assert.Matches("^'pp15': logits differ by .* of their spread, the limit is 0.1$", wrong.Detail);
        Assert.Equal((VerificationStatus.Passed, 0.0, 0.5), (file.Status, file.KlNats, file.KlLimitNats));
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
}
