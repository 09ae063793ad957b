using System.Globalization;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>
/// Verifies the models of a run before anything is timed, each once on an engine, its options and a provider: against <c>ort</c> on the
/// CPU with the same folder, or against a reference.json. What the CPU answers is kept from run to run.
/// </summary>
/// <param name="context">What was asked for, and where models come from.</param>
internal sealed class CaseVerification(PlanContext context)
{
    /// <summary>The word for none.</summary>
    public const string Off = "off";

    /// <summary>The word for the usual one.</summary>
    public const string Cpu = "cpu";

    // Beyond weights: logits, activations, ONNX Runtime's arena and the process itself.
    private const double MemoryFactor = 1.15;

    private readonly ReferenceStore _store = new(Path.Combine(context.Models.Root, ".references"));
    private readonly Dictionary<
        (string Path, string Engine, string Provider, string Precision, string? Options, int? Threads),
        VerificationOutcome
    > _known = [];

    private readonly Reference? _file = context.Options.Verify is null or Off or Cpu
        ? null
        : Inference.Verification.Reference.Read(context.Options.Verify);

    /// <summary>Whether a case's answers are right, as far as that can be known here.</summary>
    /// <param name="subject">What is measured.</param>
    /// <param name="planned">A case of it.</param>
    /// <param name="all">Everything that the run measures.</param>
    /// <param name="family">Of the subject's engine.</param>
    public VerificationOutcome Of(CaseSubject subject, PlannedCase planned, IReadOnlyList<CaseSubject> all, EngineFamily family)
    {
        if (context.Options.Verify == Off)
        {
            return new VerificationOutcome { Status = VerificationStatus.Off };
        }

        // Nothing is computed to show what would be measured.
        if (context.Options.DryRun)
        {
            return VerificationOutcome.Unknown;
        }

        // A program loads one checkpoint at each precision.
        var key = (subject.Path, subject.Engine, subject.Provider, subject.Precision, subject.OptionsText, subject.EngineOptions.Threads);
        if (!_known.TryGetValue(key, out VerificationOutcome? outcome))
        {
            outcome =
                subject.Folder is not null ? OfFolder(subject)
                : subject.Peer is not null ? OfProgram(subject, planned, all, family)
                : Unverified("its program shows neither logits nor tokens");
            _known.Add(key, outcome);
            Tell(subject, outcome);
        }

        return outcome;
    }

    private VerificationOutcome OfFolder(CaseSubject subject)
    {
        VerifiedSide tested = SideOf(subject);
        VerifiedSide cpu = ReferenceOf(tested);
        if (_file is null && tested is { Engine: "ort", Options.Provider: ExecutionProvider.Cpu, Source: null })
        {
            return new VerificationOutcome { Status = VerificationStatus.Reference };
        }

        if (_file is null && WhyNoReference(cpu) is { } reason)
        {
            return Unverified(reason);
        }

        VerificationLimits limits = _file is null ? VerificationLimits.Between(tested, cpu) : VerificationLimits.OfFile(tested.Folder);
        try
        {
            Reference reference = _file ?? ModelVerifier.KeptAnswers(cpu, context.Models.Fingerprint(cpu.Folder), _store);
            return Outcome(ModelVerifier.Verify(tested, reference, limits), reference);
        }
        catch (EngineException exception)
        {
            return Failed(exception.Message) with { KlLimitNats = limits.MaxDivergence };
        }
    }

    /// <summary>A program of its own gives tokens, and logits where it can. They are held against the file that was given; where none was,
    /// or where it has no logits to judge a token by, against what <c>ort</c> computes on the CPU.</summary>
    private VerificationOutcome OfProgram(CaseSubject subject, PlannedCase planned, IReadOnlyList<CaseSubject> all, EngineFamily family)
    {
        VerificationOutcome? told = _file is null
            ? null
            : ProgramVerification.Of(subject, planned, family, _file, ProgramVerification.EosOf(subject), Closeness.OtherWeights);
        if (told is { Status: not VerificationStatus.Unverified })
        {
            return told;
        }

        VerifiedSide cpu;
        Reference answers;
        try
        {
            (VerifiedSide? side, string? reason) = ReferenceOf(subject, all);
            if (side is null)
            {
                return told ?? Unverified(reason!);
            }

            (cpu, answers) = (side, ModelVerifier.KeptAnswers(side, context.Models.Fingerprint(side.Folder), _store));
        }
        catch (Exception exception) when (exception is EngineException or ModelException)
        {
            return told ?? Unverified($"no reference: {exception.Message}");
        }

        bool isSame = !subject.HasOwnNumbers && cpu.Folder.Storage == subject.Precision;
        return ProgramVerification.Of(
            subject,
            planned,
            family,
            isSame ? answers : answers with { Source = $"{answers.Source} in {cpu.Folder.Storage}" },
            cpu.Folder.EosTokenIds,
            isSame ? Closeness.OtherArithmetic : Closeness.OtherWeights
        );
    }

    /// <summary>What a program is held against: a folder of the same numbers where there is one, else of the checkpoint in fp32.</summary>
    private (VerifiedSide? Side, string? Reason) ReferenceOf(CaseSubject subject, IReadOnlyList<CaseSubject> all)
    {
        VerifiedSide[] twins = subject.HasOwnNumbers ? [] : [.. TwinsOf(subject, all)];
        if (Array.Find(twins, twin => WhyNoReference(twin) is null) is { } found)
        {
            return (found, null);
        }

        (ModelFolder? folder, string? reason) = FloatingFolder(subject);
        VerifiedSide? side = folder is null ? null : OrtOf(folder, subject);
        reason ??= WhyNoReference(side!);
        return reason is null ? (side, null) : (null, twins.Length > 0 ? WhyNoReference(twins[0]) : reason);
    }

    private static IEnumerable<VerifiedSide> TwinsOf(CaseSubject subject, IReadOnlyList<CaseSubject> all)
    {
        if (subject.Source is { } source)
        {
            VerifiedSide own = OrtOf(source, subject);
            yield return own with
            {
                Options = own.Options with { FloatActivations = true },
            };
        }

        foreach (CaseSubject other in all)
        {
            if (other is { Folder: not null, Skip: null } && (other.Model, other.Precision) == (subject.Model, subject.Precision))
            {
                yield return ReferenceOf(SideOf(other));
            }
        }
    }

    // A folder as it is, or the checkpoint or shape in fp32.
    private (ModelFolder? Folder, string? Reason) FloatingFolder(CaseSubject subject)
    {
        if (ModelVariant.IsFinished(subject.Model))
        {
            ModelFolder folder = ModelFolderReader.Open(subject.Model);
            return folder.Precision == Precision.Fp32 || (folder.Storage == subject.Precision && !subject.HasOwnNumbers)
                ? (folder, null)
                : (null, $"no reference: {subject.ModelName} holds {folder.Storage} weights, which the program's are not");
        }

        ModelBuildOptions options = new() { Model = subject.Model, Precision = Precision.Fp32 };
        return context.TooLarge(MemoryFactor * ModelBuilder.WeightBytes(options)) is { } reason
            ? (null, $"no reference: {reason}")
            : (context.Models.Prepare(options), null);
    }

    private static VerifiedSide OrtOf(ModelFolder folder, CaseSubject subject) =>
        new(
            folder,
            "ort",
            new EngineOptions { Threads = subject.EngineOptions.Provider == ExecutionProvider.Cpu ? subject.EngineOptions.Threads : null }
        );

    private static VerifiedSide SideOf(CaseSubject subject) =>
        new(subject.Folder!, subject.Engine, subject.EngineOptions) { Kind = subject.Kind!, Source = subject.Source };

    /// <summary>What a side is held against. Where a provider does not round activations, neither may its reference; on the CPU both
    /// compute alike.</summary>
    internal static VerifiedSide ReferenceOf(VerifiedSide tested) =>
        new(
            tested.Source ?? tested.Folder,
            "ort",
            new EngineOptions
            {
                Threads = tested.Options.Provider == ExecutionProvider.Cpu ? tested.Options.Threads : null,
                FloatActivations = tested.Options.Provider != ExecutionProvider.Cpu || !tested.Kind.HasOnnxRuntimeArithmetic,
            }
        );

    private string? WhyNoReference(VerifiedSide cpu) =>
        GraphNeeds.Refusal(cpu.Folder, cpu.Engine, GraphTarget.Cpu) is { } refusal ? $"ort cannot compute it on the CPU: {refusal}"
        : context.TooLarge(MemoryFactor * cpu.Folder.WeightBytes) is { } reason ? $"no reference: {reason}"
        : null;

    private static VerificationOutcome Outcome(ModelVerification verification, Reference reference) =>
        new()
        {
            Status = verification.Passed ? VerificationStatus.Passed : VerificationStatus.Failed,
            KlNats = verification.Divergence,
            KlLimitNats = verification.Limits.MaxDivergence,
            TopPercent = verification.TopPercent,
            Detail = $"against {reference.Source}: {verification.Failure ?? Agreement(verification)}",
        };

    private static string Agreement(ModelVerification verification)
    {
        double largest = verification.Cases.Max(verified => verified.Relative);
        int tokens = verification.Cases.Sum(verified => verified.Tokens);
        int ties = verification.Cases.Sum(verified => verified.Ties);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"logits differ by at most {largest:0.######} of their spread over {tokens} greedy "
                + $"tokens{(ties > 0 ? $", {ties} of them ties" : "")}"
        );
    }

    private static VerificationOutcome Unverified(string reason) => new() { Status = VerificationStatus.Unverified, Detail = reason };

    private static VerificationOutcome Failed(string reason) => new() { Status = VerificationStatus.Failed, Detail = reason };

    private static void Tell(CaseSubject subject, VerificationOutcome outcome)
    {
        string name = subject.Named;
        string? line = outcome.Status switch
        {
            VerificationStatus.Passed => $"Verified: {name} {outcome.Detail}.",
            VerificationStatus.Failed => $"Verification failed: {name}: {outcome.Detail}.",
            VerificationStatus.Unverified => $"Not verified: {name}: {outcome.Detail}.",
            _ => null,
        };
        if (line is not null)
        {
            Screen.Line(line);
        }
    }
}
