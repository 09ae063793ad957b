using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Benchmarks.Engines;

/// <summary>What an external program loads of a model: the checkpoint itself; a GGUF file or an OpenVINO folder that is there; or a GGUF
/// file that is made of the model, so that the program computes from the same numbers as the engines beside it.</summary>
/// <param name="Name">Name of the model in results.</param>
/// <param name="Path">Checkpoint, file or folder; empty where there is none.</param>
internal sealed record ExternalModel(string Name, string Path)
{
    private const string OpenVinoGraph = "openvino_model.xml";
    private const string RotaryFactors = "rope_freqs.weight";

    /// <summary>SHA-256 that identifies the contents; null where there are none.</summary>
    public string? Sha256 { get; private init; }

    /// <summary>The shape of a checkpoint, and in a dry run of what a GGUF file would be made of; else null.</summary>
    public LlamaShape? Shape { get; private init; }

    /// <summary>The GGUF file that was made of the model; null where there is none.</summary>
    public ModelFolder? Gguf { get; private init; }

    /// <summary>The folder that it was made of; null where there is none.</summary>
    public ModelFolder? Source { get; private init; }

    /// <summary>Makes the ids of prompts; null where nothing can.</summary>
    public PromptTokenizer? Tokenizer { get; private init; }

    /// <summary>Why nothing can be loaded.</summary>
    public string? Skip { get; private init; }

    /// <summary>True where the program, or somebody else's, quantizes: its int4 are other numbers than those of our folder.</summary>
    public bool HasOwnNumbers => Gguf is null && !Path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    /// <summary>True where a GGUF file has to be made of the model.</summary>
    public static bool IsConverted(PeerKind peer, string model, SuiteOptions options) =>
        peer.ReadsGguf && options.Gguf is null && Found(model, options) is null && CanBeConverted(model);

    /// <summary>Why a program cannot load a model; null when it can, as far as that is known before anything is made.</summary>
    public static string? WhyNot(PeerKind peer, ModelVariant variant, SuiteOptions options)
    {
        string model = variant.Name;
        if (!peer.ReadsGguf)
        {
            return Checkpoint.IsCheckpoint(model)
                ? null
                : $"{peer.Name} loads Hugging Face checkpoints, and '{model}' is none; the verb checkpoint makes one of a shape with "
                    + "random weights";
        }

        return Found(model, options) is { } found ? WhyNotFile(peer, found)
            : IsConverted(peer, model, options) ? WhyNotShape(peer, variant)
            : options.Gguf is { } named ? $"the file {named} is not there"
            : $"{peer.Name} loads GGUF files and OpenVINO folders, and {model} is neither, nor a model that one can be made of; name one "
                + "with --gguf";
    }

    /// <summary>What is loaded, made if it is not there.</summary>
    /// <param name="peer">The program.</param>
    /// <param name="variant">The model, and for one that a GGUF file is made of its weights.</param>
    /// <param name="skip">Why nothing will be loaded; null makes and reads what will.</param>
    /// <param name="context">What was asked for.</param>
    public static ExternalModel Of(PeerKind peer, ModelVariant variant, string? skip, PlanContext context)
    {
        string model = variant.Name;
        bool isRead = skip is null && !context.Options.DryRun;
        if (IsConverted(peer, model, context.Options))
        {
            return isRead
                ? Converted(peer, variant, context)
                : new ExternalModel(variant.Folder?.Name ?? variant.ShownName, "")
                {
                    Skip = skip,
                    Shape = skip is null && variant.Folder is null ? ShapeOf(model) : null,
                };
        }

        Checkpoint? checkpoint = Checkpoint.IsCheckpoint(model) ? Checkpoint.Open(model) : null;
        string? found = peer.ReadsGguf ? Found(model, context.Options) : null;
        return new ExternalModel(
            checkpoint?.Shape.Name
                ?? (
                    ModelFolderReader.IsModelFolder(model)
                        ? ModelFolderReader.Open(model).Name // As the engines that run the folder itself call it.
                        : System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(model))
                ),
            found ?? checkpoint?.Path ?? ""
        )
        {
            Sha256 =
                !isRead ? null
                : found is not null ? context.Models.FingerprintFile(FileOf(found))
                : context.Models.Fingerprint(checkpoint!.Path),
            Shape = checkpoint?.Shape,
            Tokenizer = skip is null ? context.TokenizerOf(model) : null,
            Skip = skip,
        };
    }

    private static ExternalModel Converted(PeerKind peer, ModelVariant variant, PlanContext context)
    {
        try
        {
            ModelFolder source = variant.Folder ?? context.Models.Prepare(variant.BuildOptions(ExecutionProvider.Cpu));
            ModelFolder gguf = context.Models.ToGguf(source);
            if (WhyNotFile(peer, gguf.GraphPath) is { } reason)
            {
                return new ExternalModel(gguf.Name, "") { Skip = reason };
            }

            return new ExternalModel(gguf.Name, gguf.GraphPath)
            {
                Sha256 = context.Models.Fingerprint(gguf),
                Gguf = gguf,
                Source = source.Format == ModelFormat.Gguf ? null : source,
                Tokenizer = context.TokenizerOf(variant.Name) ?? PromptTokenizer.For(gguf),
            };
        }
        catch (ModelException exception)
        {
            return new ExternalModel(variant.Folder?.Name ?? variant.ShownName, "") { Skip = exception.Message };
        }
    }

    // Before anything is built of it. A folder's graph tells neither; the file that is made of it does.
    private static string? WhyNotShape(PeerKind peer, ModelVariant variant)
    {
        if (ModelFolderReader.IsModelFolder(variant.Name))
        {
            return null;
        }

        LlamaShape shape = ShapeOf(variant.Name);
        bool isScaled = shape.RopeScaling is not null;
        return WhyUnread(peer, isScaled, variant.Precision == Precision.Fp32, shape.HiddenSize, shape.HeadCount, shape.HeadSize);
    }

    private static LlamaShape ShapeOf(string model) =>
        Checkpoint.IsCheckpoint(model) ? Checkpoint.Open(model).Shape : LlamaShape.Load(model);

    private static string? WhyNotFile(PeerKind peer, string file)
    {
        if (Directory.Exists(file))
        {
            return null;
        }

        try
        {
            ModelFolder folder = ModelFolderReader.Open(file);
            IReadOnlyList<GgufTensor> tensors = GgufFile.Open(file).Tensors;
            bool isScaled = tensors.Any(tensor => tensor.Name == RotaryFactors);
            bool isFp32 = tensors.Any(tensor =>
                tensor.Name.StartsWith("blk.", StringComparison.Ordinal) && tensor.Dims.Count > 1 && tensor.Type == GgufType.F32
            );
            return WhyUnread(peer, isScaled, isFp32, folder.HiddenSize, folder.HeadCount, folder.HeadSize);
        }
        catch (ModelException)
        {
            // The program has words of its own for a file that it cannot read.
            return null;
        }
    }

    // Of GGUF files OpenVINO GenAI 2026.4, the only one that is given them, takes none of these: it fails with F32, and would compute
    // another model of the others.
    private static string? WhyUnread(PeerKind peer, bool isScaled, bool isFp32, int hiddenSize, int headCount, int headSize) =>
        isScaled
            ? $"{peer.Name} does not read the scaled rotary embedding of a GGUF file ({RotaryFactors}: Llama 3.1 and 3.2); give it an "
                + "OpenVINO folder"
        : isFp32 ? $"{peer.Name} does not read F32 matrices of a GGUF file; take fp16, or give it an OpenVINO folder"
        : headSize * headCount != hiddenSize
            ? $"{peer.Name} takes heads of a GGUF file to be {hiddenSize} / {headCount} wide, and these are {headSize}; give it an "
                + "OpenVINO folder"
        : null;

    // The one that was named, or what the model's folder holds.
    private static string? Found(string model, SuiteOptions options) =>
        options.Gguf is { } named ? (System.IO.Path.Exists(named) ? named : null)
        : !Directory.Exists(model) ? null
        : File.Exists(System.IO.Path.Combine(model, OpenVinoGraph)) ? model
        : Directory.EnumerateFiles(model, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault();

    private static bool CanBeConverted(string model) =>
        !Directory.Exists(model) || Checkpoint.IsCheckpoint(model) || ModelFolderReader.IsModelFolder(model);

    private static string FileOf(string found) => Directory.Exists(found) ? System.IO.Path.Combine(found, "openvino_model.bin") : found;
}
