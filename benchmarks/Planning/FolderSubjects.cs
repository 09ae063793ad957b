using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>What engines inside the suite measure: model folders, made if they are not there, verified if that was asked for.</summary>
internal sealed class FolderSubjects(SuiteOptions options, ModelPreparation models)
{
    // Beyond weights: logits, activations, ONNX Runtime's arena and the process itself.
    private const double MemoryFactor = 1.15;

    private readonly CaseEngineOptions _engineOptions = new(options);
    private readonly Dictionary<string, PromptTokenizer?> _tokenizers = [];
    private readonly CaseVerification? _verification = options.Verify is { } reference ? new CaseVerification(reference) : null;

    public IEnumerable<CaseSubject> Of(string engine, ExecutionProvider provider, string model) =>
        Variants(model).Select(variant => Subject(engine, provider, variant));

    private IEnumerable<ModelVariant> Variants(string model)
    {
        if (ModelVariant.IsFinished(model))
        {
            ModelFolder folder = ModelFolderReader.Open(model);
            if (options.Precisions is { } wanted && !wanted.Contains(folder.Precision))
            {
                throw new UsageException($"--precision: {model} holds {folder.Precision.ToString().ToLowerInvariant()} weights; leave --precision out or name that");
            }

            return [new ModelVariant(model, folder.Precision, folder.BlockSize, folder)];
        }

        return from precision in options.Precisions ?? options.UsualPrecisions
               from block in precision is Precision.Int4 or Precision.Int8 ? options.BlockSizes.Select(size => (int?)size) : [null]
               select new ModelVariant(model, precision, block, null);
    }

    private CaseSubject Subject(string engine, ExecutionProvider provider, ModelVariant variant)
    {
        string? skip = WhyNot(engine, provider, variant);
        ModelFolder? folder = variant.Folder;
        PromptTokenizer? tokenizer = skip is null ? Tokenizer(variant) : null;
        if (folder is null && skip is null)
        {
            folder = models.Prepare(variant.BuildOptions(provider));
        }

        return new CaseSubject(engine, provider)
        {
            ModelName = folder?.Name ?? variant.ShownName,
            Path = folder?.Path ?? "",
            Sha256 = folder is null ? null : models.Fingerprint(folder),
            IsReal = variant.IsReal,
            HiddenSize = folder?.HiddenSize,
            LayerCount = folder?.LayerCount,
            VocabularySize = folder?.VocabularySize,
            ContextLength = folder?.ContextLength,
            Precision = variant.Precision,
            BlockSize = variant.BlockSize,
            Label = variant.Label,
            Tokenizer = folder is null ? null : tokenizer ?? PromptTokenizer.For(folder),
            Skip = skip,
            Failure = folder is null || skip is not null ? null : _verification?.Failure(new VerifiedSide(folder, engine, _engineOptions.On(provider))),
        };
    }

    /// <summary>Of what has one already; prompts that it cannot make are refused before hours go into a conversion.</summary>
    private PromptTokenizer? Tokenizer(ModelVariant variant)
    {
        if (!_tokenizers.TryGetValue(variant.Name, out PromptTokenizer? tokenizer))
        {
            tokenizer = variant.Folder is { } folder ? PromptTokenizer.For(folder) : Checkpoint.IsCheckpoint(variant.Name) ? PromptTokenizer.For(Checkpoint.Open(variant.Name)) : null;
            foreach (string prompt in tokenizer is null ? [] : options.Prompts)
            {
                _ = tokenizer!.Tokenize(Prompt.Parse(prompt), options.PromptForm);
            }

            _tokenizers.Add(variant.Name, tokenizer);
        }

        return tokenizer;
    }

    private string? WhyNot(string engine, ExecutionProvider provider, ModelVariant variant)
    {
        Availability availability = EngineCatalog.Get(engine).Availability(provider);
        if (!availability.IsAvailable)
        {
            return availability.Reason;
        }

        if (variant.Precision == Precision.Fp16 && provider == ExecutionProvider.Cpu && options.Precisions is null && variant.Folder is null)
        {
            return "fp16 on the CPU computes in fp32 and takes twice the memory; ask for it with --precision fp16";
        }

        long needed = (long)(MemoryFactor * (variant.Folder?.WeightBytes ?? ModelBuilder.WeightBytes(variant.BuildOptions(provider))));
        return provider == ExecutionProvider.Cpu && MachineProbe.AvailableMemoryBytes() is { } free && needed > free
            ? FormattableString.Invariant($"the model needs about {needed / 1e9:0.0} GB of memory and {free / 1e9:0.0} GB are free")
            : null;
    }
}
