using System.Security.Cryptography;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Makes and identifies model folders for a person who waits: a progress bar, and a clean end on Ctrl-C.</summary>
internal sealed class ModelPreparation(string root)
{
    private readonly ModelStore _store = new(root);

    /// <summary>Folder of what is kept from run to run.</summary>
    public string Root => root;

    private readonly Dictionary<string, string> _fingerprints = [];
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

    /// <summary>SHA-256 of a file, once for each file of a run.</summary>
    public string FingerprintFile(string path)
    {
        if (!_fingerprints.TryGetValue(path, out string? fingerprint))
        {
            fingerprint = ByteProgress.Show(
                $"hashing {Path.GetFileName(path)}",
                (progress, cancellation) => Hash(path, progress, cancellation)
            );
            _fingerprints.Add(path, fingerprint);
        }

        return fingerprint;
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
