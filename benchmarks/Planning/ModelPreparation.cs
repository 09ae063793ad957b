using System.Security.Cryptography;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Calibration;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Makes and identifies model folders for a person who waits: a progress bar, and a clean end on Ctrl-C.</summary>
internal sealed class ModelPreparation(string root)
{
    private readonly ModelStore _store = new(root);

    /// <summary>Folder of what is kept from run to run.</summary>
    public string Root => root;

    private readonly Dictionary<string, string> _fingerprints = [];
    private readonly Dictionary<string, string> _hashes = [];
    private readonly HashSet<string> _told = [];

    /// <summary>The folder for these options, made if it is not there yet: where the user wants it, else under the store's root.</summary>
    public ModelFolder Prepare(ModelBuildOptions options, string? folder = null)
    {
        if (Checkpoint.IsCheckpoint(options.Model))
        {
            // What the checkpoint holds is part of the folder. Known here, the store finds it remembered.
            Fingerprint(options.Model);
        }

        foreach (string warning in Warnings(options.Model).Where(_told.Add))
        {
            Console.WriteLine($"{options.Model}: {warning}.");
        }

        return Warned(
            ByteProgress.Show(
                Title(options),
                (progress, cancellation) =>
                    folder is null
                        ? _store.GetOrBuild(options, progress, cancellation)
                        : _store.Build(options, folder, progress, cancellation)
            )
        );
    }

    /// <summary>A folder of the user's. That it contradicts itself is said once.</summary>
    public ModelFolder Given(ModelFolder folder)
    {
        foreach (string problem in Contradictions(folder).Where(_told.Add))
        {
            Console.WriteLine($"{folder.Name}: {problem}.");
        }

        return folder;

        // Whether it runs is the engine's to say.
        static IReadOnlyList<string> Contradictions(ModelFolder folder)
        {
            try
            {
                return FolderInspection.Of(folder.Path).Contradictions;
            }
            catch (ModelException)
            {
                return [];
            }
        }
    }

    /// <summary>The GGUF folder of a folder that the suite built; another one as it is.</summary>
    /// <param name="source">The folder.</param>
    /// <param name="folder">Where the user wants it; null for a reused one.</param>
    /// <exception cref="ModelException">GGUF cannot hold it.</exception>
    public ModelFolder ToGguf(ModelFolder source, string? folder = null) =>
        source.Format == ModelFormat.Gguf
            ? source
            : ByteProgress.Show(
                $"converting {source.Name} to gguf",
                (progress, cancellation) => _store.ConvertToGguf(source, folder, progress, cancellation)
            );

    /// <summary>The GGUF folder of a variant, made by way of its ONNX folder.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="provider">Whose ONNX folder it is made of.</param>
    /// <exception cref="ModelException">It cannot be built, or GGUF cannot hold it.</exception>
    public ModelFolder GgufOf(ModelVariant variant, ExecutionProvider provider) =>
        ToGguf(variant.Folder ?? Prepare(variant.BuildOptions(provider)));

    /// <summary>The folder of the same weights with a KV cache of 8 or 4 bits; its scales are found on the way.</summary>
    /// <param name="source">The folder.</param>
    /// <param name="type">Of the cache.</param>
    /// <param name="folder">Where the user wants it; null for a reused one.</param>
    /// <exception cref="ModelException">Its cache cannot be quantized.</exception>
    /// <exception cref="EngineException">It cannot be computed.</exception>
    public ModelFolder WithCache(ModelFolder source, KeyValueType type, string? folder = null) =>
        ByteProgress.Show(
            $"writing {source.Name} with a KV cache of {type.Name()}",
            (progress, cancellation) =>
                _store.QuantizeCache(
                    source,
                    Fingerprint(source),
                    type,
                    CacheCalibration.Identity,
                    () =>
                    {
                        using CountProgress parts = CountProgress.Begin($"calibrating {source.Name}", CacheCalibration.MaxParts);
                        return CacheCalibration.Of(source, parts.Step, cancellation);
                    },
                    folder,
                    progress,
                    cancellation
                )
        );

    /// <summary>A folder as an engine reads it: itself, or the GGUF folder that is made of it.</summary>
    /// <exception cref="ModelException">GGUF cannot hold it.</exception>
    public ModelFolder For(EngineKind kind, ModelFolder folder) => kind.Format == ModelFormat.Gguf ? ToGguf(folder) : folder;

    /// <summary>The same with the KV cache that was asked for, which llama.cpp makes of any file by itself.</summary>
    /// <exception cref="ModelException">It cannot be made, or the engine has no such cache on the provider.</exception>
    public ModelFolder For(EngineKind kind, ModelFolder folder, ExecutionProvider provider, KeyValueType? type) =>
        kind.Format == ModelFormat.Gguf ? ToGguf(folder)
        : GraphNeeds.CacheRefusal(type, folder, kind.Name, provider.Target()) is { } refusal
            ? throw new ModelException($"{kind.Name} {refusal}")
        : type is KeyValueType.Int8 or KeyValueType.Int4 ? WithCache(folder, type.Value)
        : folder;

    /// <summary>What rounding a GGUF file's scales have; null where none were rounded.</summary>
    public static string? ScaleNote(ModelFolder gguf) =>
        ConversionReport.Read(gguf.TokenizerFolder) is { RoundedScales: > 0 } report
            ? FormattableString.Invariant(
                $"{report.RoundedScales} of {report.Scales} quantization scales were rounded to float16, by at most 1/2048 of their value"
            )
            : null;

    /// <summary>The folder for these options if it is there; null for a checkpoint's, which would have to be read to know.</summary>
    public ModelFolder? Find(ModelBuildOptions options) =>
        !Checkpoint.IsCheckpoint(options.Model) && Directory.Exists(_store.PathOf(options))
            ? ModelFolderReader.Open(_store.PathOf(options))
            : null;

    /// <summary>SHA-256 that identifies a checkpoint's contents; remembered from run to run.</summary>
    public string Fingerprint(string checkpoint) =>
        ByteProgress.Show(
            $"reading {checkpoint}",
            (progress, cancellation) => _store.Fingerprint(Checkpoint.Open(checkpoint), progress, cancellation)
        );

    /// <summary>SHA-256 that identifies the folder's contents, once for each folder of a run.</summary>
    public string Fingerprint(ModelFolder folder)
    {
        if (!_fingerprints.TryGetValue(folder.Path, out string? fingerprint))
        {
            fingerprint = ByteProgress.Show(
                $"hashing {folder.Name}",
                (progress, cancellation) => ModelFingerprint.Compute(folder, progress, cancellation)
            );
            _fingerprints.Add(folder.Path, fingerprint);
        }

        return fingerprint;
    }

    /// <summary>Bytes of weights that a decoded token reads, and of KV cache that a token of the sequence takes; null for a graph that does
    /// not tell. Takes milliseconds.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="type">How llama.cpp keeps its KV cache; an ONNX graph has a type of its own.</param>
    public static (long? Weights, long? Cache) BytesPerToken(ModelFolder folder, KeyValueType? type)
    {
        try
        {
            var inspection = FolderInspection.Of(folder.Path);
            return (
                inspection.WeightBytesPerToken,
                folder.Format == ModelFormat.Gguf ? GgufCacheBytes(folder, type) : inspection.CacheBytesPerToken
            );
        }
        catch (ModelException)
        {
            // What an engine refuses it says itself.
            return (null, null);
        }
    }

    private static long GgufCacheBytes(ModelFolder folder, KeyValueType? type)
    {
        // Blocks of 32 have a scale of 2 bytes each (ggml-common.h).
        long blocks = 2L * folder.LayerCount * folder.KeyValueHeadCount * folder.HeadSize / 32;
        return type switch
        {
            KeyValueType.F32 => blocks * 128,
            KeyValueType.Int8 => blocks * 34,
            KeyValueType.Int4 => blocks * 18,
            _ => blocks * 64,
        };
    }

    /// <summary>SHA-256 of a file, once for each file of a run.</summary>
    public string FingerprintFile(string path)
    {
        // Apart from those of folders: a GGUF file that is a model of its own is known by more than its bytes.
        if (!_hashes.TryGetValue(path, out string? hash))
        {
            hash = ByteProgress.Show($"hashing {Path.GetFileName(path)}", (progress, cancellation) => Hash(path, progress, cancellation));
            _hashes.Add(path, hash);
        }

        return hash;
    }

    private static string Hash(string path, IProgress<BuildProgress> progress, CancellationToken cancellation)
    {
        try
        {
            using FileStream file = InputFile.Open(path, long.MaxValue, "is no model");
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[1 << 20];
            for (int read; (read = file.Read(buffer)) > 0; )
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
                progress.Report(new BuildProgress(file.Position, file.Length));
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Where a model's files are not simply followed.</summary>
    private static IReadOnlyList<string> Warnings(string model) =>
        Checkpoint.IsCheckpoint(model) ? Checkpoint.Open(model).Warnings
        : LlamaShape.Load(model).Warning is { } warning ? [warning]
        : [];

    private static string Title(ModelBuildOptions options) =>
        $"{(Checkpoint.IsCheckpoint(options.Model) ? "converting" : "building")} {options.Model} to {options.Precision.Name()}";

    private static ModelFolder Warned(ModelFolder folder)
    {
        if (ConversionReport.Read(folder.Path)?.Warning is { } warning)
        {
            Console.WriteLine($"{folder.Name}: {warning}.");
        }

        return folder;
    }
}
