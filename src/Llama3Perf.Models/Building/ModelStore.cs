using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Converting;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Models.Building;

/// <summary>Model folders that the suite built, under one root (<c>artifacts/models</c>), each built once and reused.</summary>
/// <param name="root">The root; created when the first folder is built.</param>
public sealed class ModelStore(string root)
{
    /// <summary>
    /// Path of the folder for these options. A checkpoint is read for it the first time, and again when one of its files changed. Its name
    /// is readable and ends in a hash over everything that shapes the folder,
    /// so that other options, a changed config.json or a newer format of this suite never meet an old folder.
    /// </summary>
    /// <exception cref="ModelException">Options that cannot be built.</exception>
    public string PathOf(ModelBuildOptions options) => PathOf(BuildPlan.Create(options, Digests));

    /// <summary>Opens the folder for these options, building it first if it is not there. See
    /// <see cref="ModelBuilder.Build(ModelBuildOptions, string, IProgress{BuildProgress}?, CancellationToken)"/>.</summary>
    /// <exception cref="ModelException">Impossible options, no space, no permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ModelFolder GetOrBuild(
        ModelBuildOptions options,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        var plan = BuildPlan.Create(options, Digests);
        return ModelBuilder.Build(plan, PathOf(plan), new BuildMachine(), progress, cancellationToken);
    }

    /// <summary>The folder for these options where the user wants it; see <see cref="GetOrBuild"/>.</summary>
    /// <exception cref="ModelException">Impossible options, a folder that holds something else, no space, no permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ModelFolder Build(
        ModelBuildOptions options,
        string folder,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => ModelBuilder.Build(BuildPlan.Create(options, Digests), folder, new BuildMachine(), progress, cancellationToken);

    /// <summary>The GGUF folder of an ONNX folder that the suite built, made first if it is not there.</summary>
    /// <param name="source">The ONNX folder.</param>
    /// <param name="folder">Where the user wants it; null for a reused one under the root.</param>
    /// <param name="progress">Told the bytes of weights written so far.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ModelException">A folder of others, or one that GGUF cannot hold, no space, no permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ModelFolder ConvertToGguf(
        ModelFolder source,
        string? folder = null,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => GgufConverter.Convert(source, folder ?? GgufPathOf(source), progress, cancellationToken);

    /// <summary>The folder of the same weights with a KV cache of 8 or 4 bits, made first if it is not there.</summary>
    /// <param name="source">The folder.</param>
    /// <param name="sourceSha256">What identifies it.</param>
    /// <param name="type"><see cref="KeyValueType.Int8"/> or <see cref="KeyValueType.Int4"/>.</param>
    /// <param name="calibration">What identifies the calibration: equal texts mean equal scales.</param>
    /// <param name="calibrate">Finds the scales; called for a folder that is not there.</param>
    /// <param name="folder">Where the user wants it; null for a reused one under the root.</param>
    /// <param name="progress">Told the bytes of weights copied so far.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ModelException">A folder whose cache cannot be quantized, no space, no permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ModelFolder QuantizeCache(
        ModelFolder source,
        string sourceSha256,
        KeyValueType type,
        string calibration,
        Func<CacheScales> calibrate,
        string? folder = null,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        if (QuantizedCacheFolder.Refusal(source) is { } refusal)
        {
            throw new ModelException($"{refusal}.");
        }

        string manifest = BuildManifest.CacheText(source, sourceSha256, type, calibration);
        return QuantizedCacheFolder.Convert(
            source,
            manifest,
            type,
            calibrate,
            folder ?? PathOf(source.Name, source.Precision, source.BlockSize, $"kv-{type.Name()}", manifest),
            progress,
            cancellationToken
        );
    }

    /// <summary>What identifies a checkpoint's contents; files that did not change since the last time are not read again.</summary>
    /// <exception cref="ModelException">A file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public string Fingerprint(
        Checkpoint checkpoint,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => CheckpointFingerprint.Compute(checkpoint, Digests, progress, cancellationToken);

    // Contents of checkpoints that were read before.
    private string Digests => Path.Combine(root, ".digests");

    private string PathOf(BuildPlan plan)
    {
        bool quantized = plan.Options.Precision is Precision.Int8 or Precision.Int4;
        return PathOf(
            plan.Shape.Name,
            plan.Options.Precision,
            quantized ? plan.Options.BlockSize : null,
            plan.Options.Target.Name(),
            plan.Manifest
        );
    }

    private string GgufPathOf(ModelFolder source) =>
        PathOf(source.Name, source.Precision, source.BlockSize, "gguf", GgufConverter.Manifest(source));

    private string PathOf(string shape, Precision precision, int? block, string target, string manifest)
    {
        string name = string.Join(
            '-',
            (string[])
                [
                    FileName(shape),
                    precision.Name(),
                    .. block is null ? (string[])[] : [$"b{block}"],
                    target,
                    Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(manifest)))[..12],
                ]
        );
        return Path.GetFullPath(Path.Combine(root, name));
    }

    // A user's config.json may stand in a folder of any name.
    private static string FileName(string shape) =>
        string.Concat(shape.Take(60).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_'));
}
