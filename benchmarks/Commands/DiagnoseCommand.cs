using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>diagnose</c>: where a model's computation parts from what it should be, node by node.</summary>
internal sealed class DiagnoseCommand
{
    private const string DefaultPrompt = "pp15";

    private readonly Argument<string> _folder = OptionFactory.Argument("folder", "GenAI model folder that is suspected.");

    private readonly Option<string?> _against = OptionFactory.Value(
        "--against",
        "Folder that is trusted: another form of the same model. Default: the same folder.",
        OptionFactory.Text,
        "folder"
    );

    private readonly Option<ExecutionProvider?> _provider = NativeSettings.Provider(
        "--provider",
        "Where the suspected folder is computed: cpu, dml, cuda, webgpu, or a --provider-library by its name. Default: cpu."
    );

    private readonly Option<ExecutionProvider?> _againstProvider = NativeSettings.Provider(
        "--against-provider",
        "Where the trusted folder is computed. Default: cpu."
    );

    private readonly Option<string?> _prompt = OptionFactory.Value(
        "--prompt",
        $"Text, @file.txt or ppN. Default: {DefaultPrompt}.",
        OptionFactory.Text,
        "text"
    );

    private readonly Option<double?> _limit = OptionFactory.Value<double?>(
        "--max-difference",
        "Difference of a value, as a share of its tensor's highest minus lowest, from which on it departs. Default: by what both sides "
            + "share.",
        text => ResultsVerb.Share(text),
        "share"
    );

    private readonly EngineSettings _settings = new();

    private readonly NativeSettings _native = new();

    public static Command Create()
    {
        DiagnoseCommand verb = new();
        Command command = new(
            "diagnose",
            "Computes a folder in two places, or two forms of a model, with all tensors between the nodes, and names the first node that "
                + "departs: 0 none does, 1 one does, 2 unusable input."
        )
        {
            verb._folder,
            verb._against,
            verb._provider,
            verb._againstProvider,
            verb._prompt,
            verb._limit,
        };
        verb._native.AddTo(command);
        verb._settings.AddTo(command);

        command.SetAction(verb.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        ExecutionProvider place = parsed.GetValue(_provider) ?? ExecutionProvider.Cpu;
        ExecutionProvider trusted = parsed.GetValue(_againstProvider) ?? ExecutionProvider.Cpu;
        if (parsed.GetValue(_against) is null && place == trusted)
        {
            throw new UsageException("diagnose needs two sides: --provider NAME other than cpu, or --against FOLDER");
        }

        _native.Use(parsed);
        PlanContext context = new(
            _settings.Over(new SuiteOptions(), parsed),
            MachineProbe.Capture(),
            new ModelPreparation(Workspace.Models)
        );
        VerifiedSide tested = new(
            context.Models.For(
                EngineCatalog.Get("ort"),
                ModelFolderReader.Open(parsed.GetRequiredValue(_folder)),
                place,
                context.Options.KeyValueType
            ),
            "ort",
            context.EngineOptions("ort", place) with
            {
                Loop = DecodeLoop.Host,
            }
        );
        VerifiedSide reference = new(
            parsed.GetValue(_against) is { } other ? ModelFolderReader.Open(other) : tested.Folder,
            "ort",
            new EngineOptions
            {
                Provider = trusted,
                Threads = parsed.GetValue(_against) is null ? null : tested.Options.Threads,
                FloatActivations = trusted == ExecutionProvider.Cpu && place != ExecutionProvider.Cpu,
            }
        );
        int[] prompt = PromptTokenizer
            .For(tested.Folder)
            .Tokenize(Prompt.Parse(parsed.GetValue(_prompt) ?? DefaultPrompt), PromptForm.Plain)
            .TokenIds;
        if (prompt.Length < 2 || prompt.Length >= tested.Folder.ContextLength)
        {
            throw new UsageException(
                $"--prompt: {prompt.Length} tokens; from 2, the last of them for the decode step, to {tested.Folder.ContextLength - 1} fit"
            );
        }

        Diagnosis diagnosis;
        using (CountProgress progress = CountProgress.Begin($"computing {tested.Folder.Name} twice", Diagnosis.Steps))
        {
            diagnosis = Diagnosis.Of(tested, reference, prompt, parsed.GetValue(_limit), progress.Step);
        }

        DiagnosisDisplay.Show($"{tested.Name} against {reference.Folder.Path}, {trusted}", diagnosis);
        return diagnosis.First is null ? ExitCode.Success : ExitCode.Failed;
    }
}
