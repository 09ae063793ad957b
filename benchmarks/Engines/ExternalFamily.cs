using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Benchmarks.Engines;

/// <summary>Other programs over a pipe. They measure the checkpoint itself, so that the comparison with a folder made of it is of the same
/// weights.</summary>
internal sealed class ExternalFamily : EngineFamily
{
    private const string DeviceOption = "device_index";

    private static readonly string[] s_backends = [.. PeerCatalog.All.Select(peer => peer.Backend)];
    private static readonly string[] s_gguf = [.. PeerCatalog.All.Where(peer => peer.ReadsGguf).Select(peer => peer.Backend)];

    // Weights are read in their own type before they are what was asked for; frameworks are large.
    private const double MemoryFactor = 1.5;

    public override IReadOnlyList<string> Names => PeerCatalog.Names;

    public override string OtherNames => $"{PeerCatalog.Prefix} and the path or command of a program";

    public override bool Owns(string engine) => PeerCatalog.Owns(engine);

    public override void Check(string engine) => PeerCatalog.Get(engine);

    public override IReadOnlyList<ExecutionProvider> Places(string engine) =>
        [.. PeerCatalog.Get(engine).Devices.Select(device => device.Provider)];

    public override Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options) =>
        PeerCatalog.Availability(PeerCatalog.Get(engine), provider, options.Python);

    /// <summary>A program's device is known when it loads; until then the machine's adapters tell what can be there.</summary>
    public override ExecutionProvider? BestPlace(string engine, PlanContext context)
    {
        PeerKind peer = PeerCatalog.Get(engine);
        return peer.Command is not null ? ExecutionProvider.Cpu : Places(engine).FirstOrDefault(CanBeThere, peer.Devices[^1].Provider);

        bool CanBeThere(ExecutionProvider provider) =>
            provider switch
            {
                ExecutionProvider.Cuda => context.Machine.Gpus.Any(gpu => gpu.VendorId == "0x10de"),
                ExecutionProvider.Xpu => context.Machine.Gpus.Any(gpu => gpu.VendorId == "0x8086"),
                ExecutionProvider.Mps => OperatingSystem.IsMacOS(),
                ExecutionProvider.Dml => OperatingSystem.IsWindows(),
                _ => true,
            };
    }

    public override IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context)
    {
        ExecutionProvider place = provider ?? ExecutionProvider.Cpu;
        PeerKind peer = PeerCatalog.Get(engine);
        return Variants(peer, place, model, context)
            .Select(variant => Subject(peer, NameOf(engine, peer, context.Options), place, variant, context));
    }

    // A file that is made holds what the other engines measure, at each precision and block size of theirs.
    private static IEnumerable<ModelVariant> Variants(PeerKind peer, ExecutionProvider place, string model, PlanContext context)
    {
        if (ExternalModel.IsConverted(peer, model, context.Options))
        {
            return ModelVariant.All(model, context.Options);
        }

        IReadOnlyList<Precision> known = peer.PrecisionsOn(place);
        IReadOnlyList<Precision> wanted = context.Options.Precisions ?? (known is [var usual, ..] ? [usual] : [Precision.Fp16]);
        return wanted.Select(precision => new ModelVariant(model, precision, BlockSize: null, Folder: null));
    }

    /// <summary>Starts the program and has it load the model.</summary>
    /// <exception cref="EngineException">It fails, or its tokenizer makes other ids of the prompt than ours.</exception>
    public override IGenerator Load(PlannedCase planned)
    {
        ExternalGenerator generator = new(planned.ModelPath, planned.Peer!);
        try
        {
            CheckPrompt(planned, generator);
            return generator;
        }
        catch
        {
            generator.Dispose();
            throw;
        }
    }

    // Two programs of one file name are two engines: then each also carries the hash of the text that it was asked for with.
    private static string NameOf(string engine, PeerKind peer, SuiteOptions options) =>
        (options.Engines ?? []).Distinct().Count(other => PeerCatalog.Owns(other) && PeerCatalog.Get(other).Name == peer.Name) > 1
            ? $"{peer.Name}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(engine)))[..6]}"
            : peer.Name;

    private static CaseSubject Subject(PeerKind peer, string name, ExecutionProvider provider, ModelVariant variant, PlanContext context)
    {
        string? refusal = WhyNot(peer, provider, variant, context);
        ExternalModel model = ExternalModel.Of(peer, variant, refusal, context);
        EngineOptions engineOptions = new()
        {
            Provider = provider,
            Threads = provider == ExecutionProvider.Cpu ? context.CpuThreads : context.Options.Threads,
        };
        return new CaseSubject(name, provider.Name(), variant.Name)
        {
            ModelName = model.Name,
            Path = model.Path,
            Source = model.Source,
            Sha256 = model.Sha256,
            IsReal = ModelVariant.IsReal(variant.Name),
            HiddenSize = model.Shape?.HiddenSize ?? model.Gguf?.HiddenSize,
            LayerCount = model.Shape?.LayerCount ?? model.Gguf?.LayerCount,
            VocabularySize = model.Shape?.VocabularySize ?? model.Gguf?.VocabularySize,
            ContextLength = model.Shape?.ContextLength ?? model.Gguf?.ContextLength,
            Precision = variant.Precision.Name(),
            BlockSize = variant.BlockSize,
            HasOwnNumbers = model.HasOwnNumbers && variant.Precision is Precision.Int4 or Precision.Int8,
            EngineOptions = engineOptions,
            Device = provider == ExecutionProvider.Cpu ? null : context.Device?.Name,
            OptionsText = OptionsText.Of(GivenOptions(peer, context.Options)),
            Tokenizer = model.Tokenizer,
            Skip = model.Skip,
            Peer = maxLength =>
                PeerCatalog.Options(peer, provider, variant.Precision, maxLength, context.Options.Python) with
                {
                    Threads = engineOptions.Threads,
                    Options = PeerOptions(peer, provider, context),
                    DeviceName = DeviceName(peer, provider, context),
                },
        };
    }

    // Where the user counted, the program's own count is meant.
    private static string? DeviceName(PeerKind peer, ExecutionProvider provider, PlanContext context) =>
        context.DeviceIndex(provider) is null || GivenOptions(peer, context.Options).ContainsKey(DeviceOption)
            ? null
            : context.Device?.Name;

    // Which adapter is the peer's own option; one that was given goes before --device.
    private static Dictionary<string, string> PeerOptions(PeerKind peer, ExecutionProvider provider, PlanContext context)
    {
        Dictionary<string, string> given = GivenOptions(peer, context.Options);
        if (context.DeviceIndex(provider) is { } index)
        {
            given.TryAdd(DeviceOption, index.ToString(CultureInfo.InvariantCulture));
        }

        return given;
    }

    // What is given to all reaches those that know it, and all where nobody does: a wrong name is then refused by each.
    private static Dictionary<string, string> GivenOptions(PeerKind peer, SuiteOptions options)
    {
        Dictionary<string, string> mine = PlanContext.Of(peer.Backend, options.PeerOptions, s_backends);
        return mine.Where(option =>
                peer.Command is not null
                || peer.Options.Contains(option.Key)
                || options.PeerOptions.ContainsKey($"{peer.Backend}:{option.Key}")
                || !PeerCatalog.All.Any(other => other.Options.Contains(option.Key))
            )
            .ToDictionary(option => option.Key, option => option.Value);
    }

    private static string? WhyNot(PeerKind peer, ExecutionProvider provider, ModelVariant variant, PlanContext context)
    {
        // First what no installation would change.
        if (peer.PrecisionsOn(provider) is { Count: > 0 } precisions && !precisions.Contains(variant.Precision))
        {
            return $"{peer.Name} on {provider.Name()} has no {variant.Precision.Name()}; it has "
                + $"{string.Join(", ", precisions.Select(known => known.Name()))}";
        }

        if (PeerCatalog.Availability(peer, provider, context.Options.Python) is { IsAvailable: false } missing)
        {
            return missing.Reason;
        }

        string? reason = ExternalModel.WhyNot(peer, variant, context.Options);
        if (reason is not null || peer.ReadsGguf)
        {
            return reason;
        }

        long elements = Checkpoint
            .Open(variant.Name)
            .Tensors.Values.Sum(tensor => tensor.Shape.Aggregate(1L, (product, dim) => product * dim));
        return provider == ExecutionProvider.Cpu
            ? context.TooLarge(elements * (variant.Precision == Precision.Fp32 ? 4 : 2) * MemoryFactor)
            : null;
    }

    // The program's own tokenizer should make our ids of the prompt: else a text would mean something else to it. The ids are what
    // is passed, so that a tokenizer that cannot read the folder's files is no reason to measure nothing.
    private static void CheckPrompt(PlannedCase planned, ExternalGenerator generator)
    {
        if (planned.PromptText is not { } text)
        {
            return;
        }

        // Ours begin with BOS, once, whether or not the template wrote it.
        int[] theirs;
        try
        {
            theirs = generator.Encode(text, addBos: false);
        }
        catch (EngineException exception) when (generator.Serves)
        {
            generator.Note($"its tokenizer was not compared with the suite's: {exception.Message}");
            return;
        }

        if (!planned.PromptTokens.SequenceEqual(theirs) && !planned.PromptTokens.Skip(1).SequenceEqual(theirs))
        {
            // A GGUF file has no room for all that a tokenizer.json says (ignore_merges); logits and tokens show whether it is the model.
            if (Array.Exists(s_gguf, backend => backend == planned.Peer!.Backend))
            {
                generator.Note(
                    $"its own tokenizer makes {theirs.Length} tokens of the prompt's text, the suite {planned.PromptTokens.Count}, "
                        + "whose ids it is given"
                );
                return;
            }

            throw new EngineException(
                $"{planned.Key.Engine} makes other tokens of the prompt than the suite ({theirs.Length} and {planned.PromptTokens.Count}): "
                    + "its tokenizer reads the checkpoint's files differently"
            );
        }
    }
}
