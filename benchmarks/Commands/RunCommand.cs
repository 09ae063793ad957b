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
        "Weights: int4, int8, fp16, fp32. Default: int4, or the folder's own.",
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
        $"{EngineFamilies.Known}. Default: the best that is there.",
        OptionFactory.EngineOf,
        "list"
    );

    private readonly Option<string?> _llamaBench = OptionFactory.Value(
        "--llama-bench",
        "Measures with this llama-bench too. With --engine llama-bench and in the preset: the one on the PATH.",
        OptionFactory.Text,
        "path"
    );

    private readonly Option<string?> _gguf = OptionFactory.Value(
        "--gguf",
        "File that llama-bench loads. Default: the first .gguf in the model's folder, else one made of the model.",
        OptionFactory.Text,
        "file"
    );

    private readonly Option<Uri?> _endpoint = OptionFactory.Value<Uri?>(
        "--endpoint",
        "Measures a server with an OpenAI-compatible endpoint too: its address up to /v1, http://localhost:11434/v1.",
        OptionFactory.Address,
        "url"
    );

    private readonly Option<string?> _apiModel = OptionFactory.Value(
        "--api-model",
        "That server's name of the model.",
        OptionFactory.Text,
        "name"
    );

    private readonly Option<string?> _python = OptionFactory.Value(
        "--python",
        "Python of the external engines, or one each: transformers=PATH,ipex-llm=PATH. Default: LLAMA3PERF_PYTHON_TRANSFORMERS "
            + "and the like, LLAMA3PERF_PYTHON, or the one on the PATH.",
        OptionFactory.Pythons,
        "path"
    );

    private readonly Option<IReadOnlyDictionary<string, string>?> _peerOptions = OptionFactory.Pairs(
        "--peer-option",
        "Option that external engines give to their programs (benchmarks/peers/README.md); repeatable. "
            + "ipex-llm:load_in_low_bit=asym_int4 is for that one alone."
    );

    private readonly Option<IReadOnlyList<ExecutionProvider>?> _providers = OptionFactory.List(
        "--provider",
        "cpu, dml, cuda, webgpu, or the name of a --provider-library; for llama.cpp also vulkan, metal, for external engines xpu, mps. "
            + "Default: the best that is there.",
        text => text.Split(',', StringSplitOptions.TrimEntries),
        ProviderLibraryOption.ProviderOf,
        "list"
    );

    private readonly Option<ProviderLibrary?> _providerLibrary = ProviderLibraryOption.Option();

    private readonly EngineSettings _engine = new();

    private readonly Option<string?> _draftModel = OptionFactory.Value(
        "--draft-model",
        "Speculative decoding in genai: a smaller model of the same tokenizer (shape, checkpoint or folder) proposes tokens, and the model "
            + "checks them in one call.",
        OptionFactory.Model,
        "name|path"
    );

    private readonly Option<int?> _draftTokens = OptionFactory.Value<int?>(
        "--draft-tokens",
        $"Most tokens that are proposed at once, 1 to 16. Default: {s_defaults.DraftTokens}.",
        text => OptionFactory.Integer(1, 16)(text),
        "n"
    );

    private readonly Option<int?> _ngram = OptionFactory.Value<int?>(
        "--ngram",
        "Speculative decoding in genai without a draft model: the last tokens, up to n - 1 of them, are looked up in the sequence so far.",
        text => OptionFactory.Integer(2, 16)(text),
        "n"
    );

    private readonly Option<int?> _prefillChunk = OptionFactory.Value<int?>(
        "--prefill-chunk",
        "Prompt tokens that genai processes at once. Default: the whole prompt.",
        text => OptionFactory.Integer(1, 1_000_000)(text),
        "n"
    );

    private readonly Option<IReadOnlyList<string>?> _prompts = OptionFactory.Prompts(
        "Text, @file.txt, or ppN for N fixed pseudo-random tokens; repeatable, and ppN also as a list. Default: OpenVINO is and pp512."
    );

    private readonly Option<string?> _chatTemplate = OptionFactory.ChatTemplate();

    private readonly Option<bool> _addBos = OptionFactory.Flag("--add-bos", OptionFactory.AddBosHelp);

    private readonly Option<IReadOnlyList<int>?> _maxLengths = OptionFactory.List(
        "--max-length",
        "Prompt and new tokens together. Default: 143 as in the 2024 article; for prompts that leave fewer than 16 new tokens, prompt + "
            + "128.",
        OptionFactory.Integer(2),
        "list"
    );

    private readonly Option<int?> _launches = OptionFactory.Value<int?>(
        "--launches",
        $"Processes a case. Default: {s_defaults.Launches}.",
        text => OptionFactory.Integer(1, 1000)(text),
        "n"
    );

    private readonly Option<double?> _until = OptionFactory.Value<double?>(
        "--until",
        "Launches each case until its decode rate is known within so much, instead of --launches: 1%.",
        text =>
            ResultsVerb.Share(text) is > 0 and var share
                ? share
                : throw new UsageException("nothing is known within 0 %; 1% is a usual target"),
        "share"
    );

    private readonly Option<Budget?> _budget = OptionFactory.Value<Budget?>(
        "--budget",
        "What --until may take: a time from the first launch on, or a number of launches a case. Default: 10m.",
        OptionFactory.BudgetOf,
        "time|n"
    );

    private readonly Option<LaunchOrder?> _order = OptionFactory.Value<LaunchOrder?>(
        "--order",
        "random: one launch of each case in random order, then the next ones; fixed: all launches of a case in a row. Default: random in "
            + "child processes, fixed in this one.",
        OptionFactory.OneOf<LaunchOrder?>(("random", LaunchOrder.Random), ("fixed", LaunchOrder.Fixed)),
        "random|fixed"
    );

    private readonly Option<int?> _seed = OptionFactory.Value<int?>(
        "--seed",
        "Of the random order. Default: drawn, and recorded.",
        text => OptionFactory.Integer(0)(text),
        "n"
    );

    private readonly Option<int?> _warmups = OptionFactory.Value<int?>(
        "--warmup",
        "Generations before the measured ones, in each launch, and as many more, within 10 or 5 s, until they take equally long and "
            + $"nothing is compiled. Default: {s_defaults.Warmups}.",
        text => OptionFactory.Integer(0, 10_000)(text),
        "n"
    );

    private readonly Option<int?> _iterations = OptionFactory.Value<int?>(
        "--iterations",
        $"Measured generations in each launch. Default: {s_defaults.Iterations}.",
        text => OptionFactory.Integer(1, 10_000)(text),
        "n"
    );

    private readonly Option<Isolation?> _isolation = OptionFactory.Value<Isolation?>(
        "--isolation",
        "process measures in child processes; none measures in this one and keeps a model loaded between cases. Default: process.",
        OptionFactory.OneOf<Isolation?>(("process", Isolation.Process), ("none", Isolation.None)),
        "process|none"
    );

    private readonly Option<int?> _cooldown = OptionFactory.Value<int?>(
        "--cooldown",
        "Seconds of rest before each case. Default: 0.",
        text => OptionFactory.Integer(0, 3600)(text),
        "seconds"
    );

    private readonly Option<TimeSpan?> _waitIdle = OptionFactory.Value<TimeSpan?>(
        "--wait-idle",
        "Waits so long for other processes to end before the first case: 5m.",
        text => OptionFactory.Duration(text),
        "time"
    );

    private readonly Option<bool> _strict = OptionFactory.Flag(
        "--strict",
        "Measures on a quiet machine only; on a busy one the exit code is 2."
    );

    private readonly Option<string?> _spin = OptionFactory.Value(
        "--spin",
        "Whether ONNX Runtime's idle threads spin: on, off, or for how many microseconds. Default: on, ONNX Runtime's own.",
        OptionFactory.Spin,
        "on|off|us"
    );

    private readonly Option<Preset?> _preset = OptionFactory.Value(
        "--preset",
        "article: the 2024 article's matrix (fp16 and int4, 'OpenVINO is', max length 143) on every engine.",
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

    private readonly Option<IReadOnlyList<string>?> _runtimeDir = RuntimeDirectory.Option();

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

    private readonly Option<int?> _launchTimeout = OptionFactory.Value<int?>(
        "--launch-timeout",
        "Seconds that a launch may take before it is ended and has failed. Default: a multiple of what its first generations let expect.",
        text => OptionFactory.Integer(1, 1_000_000)(text),
        "seconds"
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
            _providerLibrary,
            _python,
            _peerOptions,
            _llamaBench,
            _gguf,
            _draftModel,
            _draftTokens,
            _ngram,
            _prefillChunk,
            _endpoint,
            _apiModel,
            _prompts,
            _chatTemplate,
            _addBos,
            _maxLengths,
            .. _engine.All,
            _launches,
            _until,
            _budget,
            _order,
            _seed,
            _warmups,
            _iterations,
            _isolation,
            _cooldown,
            _waitIdle,
            _strict,
            _spin,
            _preset,
            _quick,
            _output,
            _label,
            _dryRun,
            _cases,
            _runtimeDir,
            _verify,
            _verbose,
            _launchTimeout,
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
    public void UseRuntime(ParseResult parsed)
    {
        RuntimeDirectory.Use(parsed.GetValue(_runtimeDir));
        ProviderLibraryOption.Use(parsed.GetValue(_providerLibrary));
    }

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
        if (parsed.GetValue(_until) is not null && parsed.GetValue(_launches) is not null)
        {
            throw new UsageException("--until and --launches: give one of them; --budget says how far --until may go");
        }

        if (parsed.GetValue(_budget) is not null && parsed.GetValue(_until) is null)
        {
            throw new UsageException("--budget goes with --until");
        }

        bool quick = parsed.GetValue(_quick);
        SuiteOptions basis = parsed.GetValue(_preset)?.Options ?? s_defaults;
        if (parsed.GetValue(_draftModel) is not null && parsed.GetValue(_ngram) is not null)
        {
            throw new UsageException("--ngram: a draft model proposes already; give --draft-model or --ngram");
        }

        SuiteOptions options = new()
        {
            Models = parsed.GetValue(_models) ?? basis.Models,
            Precisions = parsed.GetValue(_precisions) ?? basis.Precisions,
            // Every engine is measured: with int8 as well the first command would take more than five minutes on two cores.
            UsualPrecisions = [Precision.Int4],
            BlockSizes = parsed.GetValue(_blockSizes) ?? basis.BlockSizes,
            Engines = parsed.GetValue(_engines) ?? basis.Engines,
            LlamaBench = parsed.GetValue(_llamaBench),
            Gguf = parsed.GetValue(_gguf),
            Endpoint = parsed.GetValue(_endpoint),
            ApiModel = parsed.GetValue(_apiModel),
            Providers = parsed.GetValue(_providers),
            Python = parsed.GetValue(_python),
            PeerOptions = parsed.GetValue(_peerOptions) ?? basis.PeerOptions,
            DraftModel = parsed.GetValue(_draftModel),
            Ngram = parsed.GetValue(_ngram),
            DraftTokens = parsed.GetValue(_draftTokens) ?? basis.DraftTokens,
            PrefillChunk = parsed.GetValue(_prefillChunk),
            Prompts = parsed.GetValue(_prompts) ?? (quick ? [basis.Prompts[0]] : basis.Prompts),
            ChatTemplate = parsed.GetValue(_chatTemplate) ?? basis.ChatTemplate,
            AddBos = parsed.GetValue(_addBos),
            MaxLengths = parsed.GetValue(_maxLengths) ?? basis.MaxLengths,
            Launches = parsed.GetValue(_launches) ?? (quick ? 1 : basis.Launches),
            Until = parsed.GetValue(_until),
            Budget = parsed.GetValue(_budget) ?? basis.Budget,
            Order = parsed.GetValue(_order),
            Seed = parsed.GetValue(_seed),
            Warmups = parsed.GetValue(_warmups) ?? basis.Warmups,
            Iterations = parsed.GetValue(_iterations) ?? (quick ? 8 : basis.Iterations),
            Isolation = parsed.GetValue(_isolation) ?? basis.Isolation,
            Cooldown = TimeSpan.FromSeconds(parsed.GetValue(_cooldown) ?? 0),
            WaitIdle = parsed.GetValue(_waitIdle) ?? TimeSpan.Zero,
            Strict = parsed.GetValue(_strict),
            Spin = parsed.GetValue(_spin),
            Output = parsed.GetValue(_output),
            Label = parsed.GetValue(_label),
            DryRun = parsed.GetValue(_dryRun),
            Cases = parsed.GetValue(_cases),
            Verify = parsed.GetValue(_verify),
            Verbose = parsed.GetValue(_verbose),
            LaunchTimeout = parsed.GetValue(_launchTimeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Force = parsed.GetValue(_force),
            KeepPaths = parsed.GetValue(_keepPaths),
            ExpectedModels = parsed.GetValue(_expectedModels),
            BenchmarkDotNetArguments = [.. parsed.UnmatchedTokens],
            ProviderOptions = basis.ProviderOptions,
            SessionEntries = basis.SessionEntries,
            Optimization = basis.Optimization,
            Loop = basis.Loop,
        };
        return _engine.Over(options, parsed);
    }
}
