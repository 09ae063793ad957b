using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>What external engines measure: the checkpoint itself, so that the comparison with a folder made of it is of the same weights.</summary>
internal sealed class PeerSubjects(SuiteOptions options, ModelPreparation models)
{
    // Weights are read in their own type before they are what was asked for; frameworks are large.
    private const double MemoryFactor = 1.5;

    private readonly CaseEngineOptions _engineOptions = new(options);

    public IEnumerable<CaseSubject> Of(string engine, ExecutionProvider provider, string model)
    {
        PeerKind peer = PeerCatalog.Get(engine);
        IReadOnlyList<Precision> known = peer.PrecisionsOn(provider);
        IReadOnlyList<Precision> wanted = options.Precisions ?? (known is [var usual, ..] ? [usual] : [Precision.Fp16]);
        return wanted.Select(precision => Subject(peer, provider, model, precision));
    }

    private CaseSubject Subject(PeerKind peer, ExecutionProvider provider, string model, Precision precision)
    {
        Checkpoint? checkpoint = Checkpoint.IsCheckpoint(model) ? Checkpoint.Open(model) : null;
        string? skip = WhyNot(peer, provider, model, checkpoint, precision);
        return new CaseSubject(peer.Name, provider)
        {
            ModelName = checkpoint?.Shape.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(model)),
            Path = checkpoint?.Path ?? "",
            Sha256 = skip is null ? models.Fingerprint(checkpoint!.Path) : null,
            IsReal = checkpoint is { IsSynthetic: false },
            HiddenSize = checkpoint?.Shape.HiddenSize,
            LayerCount = checkpoint?.Shape.LayerCount,
            VocabularySize = checkpoint?.Shape.VocabularySize,
            ContextLength = checkpoint?.Shape.ContextLength,
            Precision = precision,
            Label = precision.ToString().ToLowerInvariant(),
            Tokenizer = skip is null ? PromptTokenizer.For(checkpoint!) : null,
            Skip = skip,
            Peer = maxLength => PeerCatalog.Options(peer, provider, precision, maxLength, options.Python) with
            {
                Threads = _engineOptions.On(provider).Threads,
                Options = options.PeerOptions,
            },
        };
    }

    private string? WhyNot(PeerKind peer, ExecutionProvider provider, string model, Checkpoint? checkpoint, Precision precision)
    {
        // First what no installation would change.
        if (peer.PrecisionsOn(provider) is { Count: > 0 } precisions && !precisions.Contains(precision))
        {
            return $"{peer.Name} on {Name(provider)} has no {Name(precision)}; it has {string.Join(", ", precisions.Select(Name))}";
        }

        if (PeerCatalog.Availability(peer, provider, options.Python) is { IsAvailable: false } missing)
        {
            return missing.Reason;
        }

        if (checkpoint is null)
        {
            return $"{peer.Name} loads Hugging Face checkpoints, and '{model}' is none; the verb checkpoint makes one of a shape with random weights";
        }

        long elements = checkpoint.Tensors.Values.Sum(tensor => tensor.Shape.Aggregate(1L, (product, dim) => product * dim));
        double needed = elements * (precision == Precision.Fp32 ? 4 : 2) * MemoryFactor;
        return provider == ExecutionProvider.Cpu && MachineProbe.AvailableMemoryBytes() is { } free && needed > free
            ? FormattableString.Invariant($"the model needs about {needed / 1e9:0.0} GB of memory and {free / 1e9:0.0} GB are free")
            : null;
    }

    private static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
