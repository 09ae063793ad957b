using System.CommandLine;
using System.CommandLine.Parsing;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Models;
using Llama3Perf.Results;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>run</c>, the default verb: measures and writes the files of a run.</summary>
internal sealed class RunCommand
{
    private static readonly SuiteOptions s_defaults = new();

    private readonly Option<IReadOnlyList<string>?> _models = OptionFactory.List(
        "--model",
        "Shape name, config.json, Hugging Face checkpoint, GenAI model folder or GGUF file. Default: llama-125m.",
        OptionFactory.Model,
        "name|path"
    );

    private readonly Option<IReadOnlyList<Precision>?> _precisions = OptionFactory.List(
        "--precision",
        "Weights: int4, int8, fp16, fp32; of some external engines also bf16. Default: int4, or the folder's own.",
        OptionFactory.PrecisionOf,
        "list"
    );

    private readonly Option<IReadOnlyList<int>?> _blockSizes = OptionFactory.List(
        "--block-size",
        "Quantization block along K: 16, 32, 64, 128, 256. Default: 32.",
        OptionFactory.BlockSizeOf,
        "list"
    );

    private readonly Option<IReadOnlyList<string>?> _engines = OptionFactory.List(
        "--engine",
        $"{EngineFamilies.Known}. Default: every one of the suite's own that is there.",
        OptionFactory.EngineOf,
        "list"
    );

    private readonly Option<IReadOnlyList<ExecutionProvider>?> _providers = OptionFactory.List(
        "--provider",
        "cpu, dml, cuda, webgpu, or the name of a --provider-library; for llama.cpp also vulkan, metal, for external engines xpu, mps, "
            + "npu. Default: the best that is there.",
        text => text.Split(',', StringSplitOptions.TrimEntries),
        NativeSettings.ProviderOf,
        "list"
    );

    private readonly NativeSettings _native = new();

    private readonly ProgramSettings _programs = new();

    private readonly SpeculationSettings _speculation = new();

    private readonly EngineSettings _engine = new(areThreadsListed: true);

    private readonly MeasuringSettings _measuring = new();

    private readonly Option<IReadOnlyList<string>?> _prompts = OptionFactory.Prompts(
        "Text, @file.txt, or ppN for N fixed pseudo-random tokens; repeatable, and ppN also as a list. Default: OpenVINO is and pp512."
    );

    private readonly Option<IReadOnlyList<string>?> _chatTemplates = OptionFactory.List(
        OptionFactory.ChatTemplateName,
        $"Wraps each text prompt in each of {OptionFactory.ChatTemplates}. Default: none.",
        OptionFactory.ChatTemplateOf,
        "list"
    );

    private readonly Option<bool> _addBos = OptionFactory.Flag("--add-bos", OptionFactory.AddBosHelp);

    private readonly Option<IReadOnlyList<int>?> _maxLengths = OptionFactory.List(
        "--max-length",
        "Prompt and new tokens together. Default: 143 as in the 2024 article; for prompts that leave fewer than 16 new tokens, prompt + "
            + "128.",
        OptionFactory.Integer(2),
        "list"
    );

    private readonly Option<string?> _spin = OptionFactory.Value(
        "--spin",
        "Whether ONNX Runtime's idle threads spin: on, off, or for how many microseconds. ONNX Runtime's own default is on. Default on the "
            + $"CPU: {SpinEntries.Usual}.",
        OptionFactory.Spin,
        "on|off|us"
    );

    private readonly Option<Preset?> _preset = OptionFactory.Value(
        "--preset",
        "article: the 2024 article's matrix (fp16 and int4, 'OpenVINO is' bare and in the model's chat template, max length 143) on "
            + "every engine.",
        Preset.Get,
        "name"
    );

    private readonly Option<bool> _quick = OptionFactory.Flag(
        "--quick",
        "One launch, one warm-up, eight iterations; int4 and the prompt 'OpenVINO is' unless asked otherwise."
    );

    private readonly Option<string?> _output = OptionFactory.Value(
        "--output",
        "Folder of the run's files. Default: artifacts/results/<run-id>.",
        OptionFactory.Text,
        "folder"
    );

    private readonly Option<string?> _label = OptionFactory.Value(
        "--label",
        "What to call the run in files, comparisons and reports: 'after BIOS 1.14'.",
        OptionFactory.Text,
        "text"
    );

    private readonly Option<bool> _dryRun = OptionFactory.Flag(
        "--dry-run",
        "Lists the cases, what is skipped and about how long it takes; builds and measures nothing."
    );

    private readonly Option<IReadOnlyList<string>?> _cases = OptionFactory.List(
        "--case",
        "Only these cases, by their case_id.",
        OptionFactory.Text,
        "list"
    );

    private readonly Option<string?> _verify = OptionFactory.Value(
        "--verify",
        "What each model's answers are held against before timing, wherever it does not run on ort and the CPU: cpu, which is ort there, "
            + "a reference.json, or off. Beyond the limits its cases fail. Default: cpu.",
        OptionFactory.Text,
        "cpu|off|file"
    );

    private readonly Option<string?> _resume = OptionFactory.Value(
        "--resume",
        "Goes on with the interrupted run in this folder, with the options that it was begun with.",
        OptionFactory.Text,
        "folder"
    );

    private readonly Option<bool> _trust = OptionFactory.Flag(
        "--trust-invocation",
        "Takes programs, libraries and their options from the folder of --resume too."
    );

    private readonly Option<bool> _force = OptionFactory.Flag(
        "--force",
        "Replaces a folder at --output that has no marker of the suite and holds nothing but files named like those of a run."
    );

    private readonly Option<bool> _keepPaths = OptionFactory.Flag(
        "--keep-paths",
        "Writes paths into the run's files as they are. Default: ~ for the home folder, the program's own libraries relative to it."
    );

    // For the gate's --confirm.
    private readonly Option<IReadOnlyList<string>?> _expectedModels = OptionFactory.List(
        "--expect-model",
        "The only models that may be measured, by their model_sha256.",
        OptionFactory.Text,
        "list"
    );

    private readonly Option<bool> _verbose = OptionFactory.Flag("--verbose", "Shows BenchmarkDotNet's own log.");

    private Option[] Options =>
        [
            _models,
            _precisions,
            _blockSizes,
            _engines,
            _providers,
            _native.ProviderLibraryOption,
            .. _programs.All,
            .. _speculation.All,
            _prompts,
            _chatTemplates,
            _addBos,
            _maxLengths,
            .. _engine.All,
            .. _measuring.All,
            _spin,
            _preset,
            _quick,
            _output,
            _label,
            _dryRun,
            _cases,
            _native.RuntimeDir,
            _verify,
            _verbose,
            _resume,
            _trust,
            _force,
            _keepPaths,
            _expectedModels,
        ];

    /// <summary>Adds the verb's options, and what it does, to a command.</summary>
    public void AddTo(Command command)
    {
        AddOptionsTo(command, []);

        // What is not ours is BenchmarkDotNet's: --filter, --list, --exporters and the like.
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(_resume) is { } folder)
            {
                return Resume(parsed, folder);
            }

            UseRuntime(parsed);
            return SuiteRunner.Run(Read(parsed));
        });
    }

    /// <summary>Adds the options to another verb that measures.</summary>
    public void AddOptionsTo(Command command, IReadOnlyList<string> without)
    {
        _expectedModels.Hidden = true;
        foreach (Option option in Options.Where(option => !without.Contains(option.Name)))
        {
            command.Add(option);
        }
    }

    /// <summary>Whether an option is one of this verb's.</summary>
    public bool Has(string option) => Options.Any(own => own.Name == option);

    /// <summary>Takes the native libraries that were asked for, before anything touches one.</summary>
    public void UseRuntime(ParseResult parsed) => _native.Use(parsed);

    private int Resume(ParseResult parsed, string folder)
    {
        folder = Path.GetFullPath(folder);
        if (
            parsed
                .CommandResult.Children.OfType<OptionResult>()
                .FirstOrDefault(option =>
                    !option.Implicit && option.Option != _resume && option.Option != _trust && option.Option != _verbose
                ) is
            { } other
        )
        {
            throw new UsageException(
                $"{other.Option.Name}: a run goes on with the options that it was begun with; --resume goes with --trust-invocation and "
                    + "--verbose alone"
            );
        }

        RunInvocation invocation = RunInvocation.Read(folder);
        ParseResult begun = Parse(invocation.Arguments);
        if (!parsed.GetValue(_trust))
        {
            InvocationRules.Require(begun, Path.Combine(folder, RunInvocation.FileName));
        }

        if (!Directory.Exists(invocation.Directory))
        {
            throw new RunFileException($"{folder} was begun in {invocation.Directory}, which is not there");
        }

        using ProcessState state = new();
        Environment.CurrentDirectory = invocation.Directory;
        UseRuntime(begun);
        return SuiteRunner.Run(Read(begun) with { Output = folder, Resume = true, Verbose = parsed.GetValue(_verbose) });
    }

    /// <summary>A command line of this verb, with or without its name, read by these options.</summary>
    public ParseResult Parse(IReadOnlyList<string> arguments)
    {
        RootCommand root = new();
        AddTo(root);
        root.Add(Cli.Telemetry());
        return root.Parse(
            [.. arguments is ["run", ..] ? arguments.Skip(1) : arguments],
            new ParserConfiguration { ResponseFileTokenReplacer = null }
        );
    }

    /// <summary>What was asked for.</summary>
    public SuiteOptions Read(ParseResult parsed)
    {
        bool quick = parsed.GetValue(_quick);
        SuiteOptions basis = parsed.GetValue(_preset)?.Options ?? s_defaults;
        SuiteOptions options = basis with
        {
            Launches = quick ? 1 : basis.Launches,
            Iterations = quick ? 8 : basis.Iterations,
            Models = parsed.GetValue(_models) ?? basis.Models,
            Precisions = parsed.GetValue(_precisions) ?? basis.Precisions,
            // Every engine is measured: with int8 as well the first command would take more than five minutes on two cores.
            UsualPrecisions = [Precision.Int4],
            BlockSizes = parsed.GetValue(_blockSizes) ?? basis.BlockSizes,
            Engines = parsed.GetValue(_engines) ?? basis.Engines,
            Providers = parsed.GetValue(_providers),
            Prompts = parsed.GetValue(_prompts) ?? (quick ? [basis.Prompts[0]] : basis.Prompts),
            ChatTemplates = parsed.GetValue(_chatTemplates) ?? basis.ChatTemplates,
            AddBos = parsed.GetValue(_addBos),
            MaxLengths = parsed.GetValue(_maxLengths) ?? basis.MaxLengths,
            Spin = parsed.GetValue(_spin),
            Output = parsed.GetValue(_output),
            Label = parsed.GetValue(_label),
            DryRun = parsed.GetValue(_dryRun),
            Cases = parsed.GetValue(_cases),
            Verify = parsed.GetValue(_verify),
            Verbose = parsed.GetValue(_verbose),
            Force = parsed.GetValue(_force),
            KeepPaths = parsed.GetValue(_keepPaths),
            ExpectedModels = parsed.GetValue(_expectedModels),
            BenchmarkDotNetArguments = [.. parsed.UnmatchedTokens],
        };
        return _measuring.Over(_speculation.Over(_programs.Over(_engine.Over(options, parsed), parsed), parsed), parsed);
    }
}
