using System.CommandLine;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>verify</c>: whether a model folder on an engine and provider computes what a reference computes.</summary>
internal sealed class VerifyCommand
{
    private readonly Argument<string> _folder = OptionFactory.Argument(
        "folder",
        "GenAI model folder or GGUF file to verify; for an external engine also a checkpoint."
    );

    private readonly Option<string?> _reference = OptionFactory.Value(
        "--reference",
        "reference.json: prompts with logits and greedy tokens of another implementation.",
        OptionFactory.Text,
        "file"
    );

    private readonly Option<string?> _against = OptionFactory.Value(
        "--against",
        "Folder whose answers are the reference.",
        OptionFactory.Text,
        "folder"
    );

    private readonly Option<ExecutionProvider?> _againstProvider = NativeSettings.Provider(
        "--against-provider",
        "Provider of the reference; without --against, of the same folder. Default: cpu."
    );

    private readonly Option<string?> _againstEngine = OptionFactory.Value(
        "--against-engine",
        "Engine of the reference. Default: ort.",
        name => EngineCatalog.Get(name).Name,
        "name"
    );

    private readonly Option<IReadOnlyList<string>?> _prompts = OptionFactory.Prompts(
        "Prompt without --reference: text, @file.txt or ppN; repeatable. Default: pp15 and pp64."
    );

    private readonly Option<string?> _engine = OptionFactory.Value(
        "--engine",
        $"{string.Join(", ", EngineCatalog.Names)}, or an external one. Default: the best that is there.",
        name => PeerCatalog.Owns(name) ? OptionFactory.EngineOf(name) : EngineCatalog.Get(name).Name,
        "name"
    );

    private readonly Option<Precision?> _precision = OptionFactory.Value<Precision?>(
        "--precision",
        "What an external engine loads the weights as: int4, int8, fp16, bf16, fp32. Default: its usual one.",
        text => OptionFactory.PrecisionOf(text),
        "name"
    );

    private readonly Option<ExecutionProvider?> _provider = NativeSettings.Provider(
        "--provider",
        "cpu, dml, cuda, webgpu, or a --provider-library by its name. Default: the best that is there."
    );

    private readonly EngineSettings _settings = new();

    private readonly ProgramSettings _programs = new();

    private readonly Option<double?> _maxDifference = OptionFactory.Value<double?>(
        "--max-difference",
        "Largest difference of a logit, as a share of the reference's highest minus lowest. Default: by the precision.",
        text => ResultsVerb.Share(text),
        "share"
    );

    private readonly Option<double?> _minCosine = OptionFactory.Value<double?>(
        "--min-cosine",
        "Smallest cosine between the logits. Default: by the precision.",
        text => OptionFactory.Number(-1, 1)(text),
        "n"
    );

    private readonly Option<double?> _maxKl = OptionFactory.Value<double?>(
        "--max-kl",
        "Largest Kullback-Leibler divergence in nats. Default: by the precision.",
        text => OptionFactory.Number(0, 1000)(text),
        "nats"
    );

    private readonly Option<int?> _minTokens = OptionFactory.Value<int?>(
        "--min-tokens",
        "Greedy tokens that must agree; ties do not count against it. Default: by the precision.",
        text => OptionFactory.Integer(0)(text),
        "n"
    );

    private readonly NativeSettings _native = new();

    public static Command Create()
    {
        VerifyCommand verb = new();
        Command command = new(
            "verify",
            "Holds a model's logits and greedy tokens against a reference: 0 within the limits, 1 beyond, 2 unusable input."
        )
        {
            verb._folder,
            verb._reference,
            verb._against,
            verb._againstProvider,
            verb._againstEngine,
            verb._prompts,
            verb._engine,
            verb._provider,
            verb._precision,
            verb._maxDifference,
            verb._minCosine,
            verb._maxKl,
            verb._minTokens,
        };
        verb._native.AddTo(command);
        verb._settings.AddTo(command);
        foreach (Option option in verb._programs.OfPeers)
        {
            command.Add(option);
        }

        command.SetAction(verb.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        bool isAgainst =
            parsed.GetValue(_against) is not null
            || parsed.GetValue(_againstProvider) is not null
            || parsed.GetValue(_againstEngine) is not null;
        if ((parsed.GetValue(_reference) is not null) == isAgainst)
        {
            throw new UsageException("verify needs one reference: --reference reference.json, --against FOLDER, or --against-provider cpu");
        }

        _native.Use(parsed);
        if (parsed.GetValue(_engine) is { } engine && PeerCatalog.Owns(engine))
        {
            return RunProgram(parsed, engine);
        }

        if (parsed.GetValue(_precision) is not null)
        {
            throw new UsageException("--precision is an external engine's; a folder has its own");
        }

        VerifiedSide tested = Tested(parsed);
        VerifiedSide? other = isAgainst ? Other(parsed, tested.Source ?? tested.Folder) : null;
        if (
            other is not null
            && other.Folder.Path == tested.Folder.Path
            && other.Engine == tested.Engine
            && other.Options.Provider == tested.Options.Provider
        )
        {
            throw new UsageException(
                $"{tested.Name} against itself proves nothing: name another folder with --against, or another engine or provider"
            );
        }

        Reference reference = other is null
            ? Reference.Read(parsed.GetValue(_reference)!)
            : ModelVerifier.Answers(other, tested, parsed.GetValue(_prompts) ?? ModelVerifier.Prompts(tested.Folder));
        VerificationLimits usual = other is null ? VerificationLimits.OfFile(tested.Folder) : VerificationLimits.Between(tested, other);
        ModelVerification verification = ModelVerifier.Verify(
            tested,
            reference,
            new VerificationLimits(
                parsed.GetValue(_maxDifference) ?? usual.MaxDifference,
                parsed.GetValue(_minCosine) ?? usual.MinCosine,
                parsed.GetValue(_maxKl) ?? usual.MaxDivergence,
                parsed.GetValue(_minTokens) ?? usual.MinTokens
            )
        );
        VerificationDisplay.Show(
            tested.Name,
            reference.Source,
            verification,
            other is not null && VerificationLimits.ClosenessOf(tested, other) == Closeness.OtherArithmetic
        );
        return verification.Passed ? ExitCode.Success : ExitCode.Failed;
    }

    // As a run verifies it: against the file, or against ort on the CPU with the checkpoint in fp32.
    private int RunProgram(ParseResult parsed, string engine)
    {
        if (
            parsed.GetValue(_against) is not null
            || parsed.GetValue(_againstEngine) is not (null or "ort")
            || parsed.GetValue(_againstProvider) is not (null or ExecutionProvider.Cpu)
            || parsed.GetValue(_prompts) is not null
            || (parsed.GetValue(_maxDifference) ?? parsed.GetValue(_minCosine) ?? parsed.GetValue(_maxKl)) is not null
            || parsed.GetValue(_minTokens) is not null
        )
        {
            throw new UsageException(
                $"{engine} is held against --reference FILE or --against-engine ort on the CPU, within its precision's limits; leave "
                    + "other sides, prompts and limits out"
            );
        }

        string model = parsed.GetRequiredValue(_folder);
        SuiteOptions options = _programs.Over(_settings.Over(new SuiteOptions(), parsed), parsed) with
        {
            Models = [model],
            Engines = [engine],
            Providers = parsed.GetValue(_provider) is { } place ? [place] : null,
            Precisions = parsed.GetValue(_precision) is { } precision ? [precision] : null,
            Verify = parsed.GetValue(_reference) ?? CaseVerification.Cpu,
        };
        PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
        EngineChoice choice = EngineFamilies.Choose(context)[0];
        CaseSubject subject = choice.Family.Subjects(engine, choice.Provider, model, context).First();
        if (subject.Skip is { } reason)
        {
            Console.WriteLine($"Not verified: {subject.Named}: {reason}.");
            return ExitCode.Input;
        }

        PlannedCase planned = PlannedCase.None with { ModelPath = subject.Path, EngineOptions = subject.EngineOptions };
        return new CaseVerification(context).Of(subject, planned, [subject], choice.Family).Status switch
        {
            VerificationStatus.Passed => ExitCode.Success,
            VerificationStatus.Failed => ExitCode.Failed,
            _ => ExitCode.Input,
        };
    }

    private VerifiedSide Tested(ParseResult parsed)
    {
        ModelFolder folder = ModelFolderReader.Open(parsed.GetRequiredValue(_folder));
        PlanContext context = new(
            _settings.Over(
                new SuiteOptions
                {
                    Engines = parsed.GetValue(_engine) is { } name ? [name] : Readers(folder),
                    Providers = parsed.GetValue(_provider) is { } place ? [place] : null,
                },
                parsed
            ),
            MachineProbe.Capture(),
            new ModelPreparation(Workspace.Models)
        );
        EngineChoice choice = EngineFamilies.Choose(context)[0];
        EngineOptions options = context.EngineOptions(choice.Engine, choice.Provider!.Value);
        EngineKind kind = EngineCatalog.Get(choice.Engine);
        ModelFolder made = context.Models.For(kind, folder, options.Provider, context.Options.KeyValueType);
        return new VerifiedSide(made, kind.Name, options) { Source = folder };
    }

    // Where no engine was named, one that reads the file.
    private static string[]? Readers(ModelFolder folder) =>
        folder.Format == ModelFormat.Onnx ? null : [EngineCatalog.All.First(kind => kind.Format == folder.Format).Name];

    private VerifiedSide Other(ParseResult parsed, ModelFolder tested)
    {
        EngineKind kind = EngineCatalog.Get(parsed.GetValue(_againstEngine) ?? "ort");
        ModelFolder folder = parsed.GetValue(_against) is { } path ? ModelFolderReader.Open(path) : tested;
        SuiteOptions settings = _settings.Over(new SuiteOptions(), parsed);
        return new VerifiedSide(
            new ModelPreparation(Workspace.Models).For(kind, folder),
            kind.Name,
            new EngineOptions
            {
                Provider = parsed.GetValue(_againstProvider) ?? ExecutionProvider.Cpu,
                Threads = settings.Threads,
                KeyValueType = settings.KeyValueType,
                FlashAttention = settings.FlashAttention,
            }
        );
    }
}
