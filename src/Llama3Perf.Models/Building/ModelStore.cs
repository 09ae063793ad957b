using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;

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
        ModelBuildOptions options = plan.Options;
        bool quantized = options.Precision is Precision.Int8 or Precision.Int4;
        string name = string.Join(
            '-',
            (string[])
                [
                    FileName(plan.Shape.Name),
                    options.Precision.Name(),
                    .. quantized ? (string[])[$"b{options.BlockSize}"] : [],
                    options.Target.Name(),
                    Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(plan.Manifest)))[..12],
                ]
        );
        return Path.GetFullPath(Path.Combine(root, name));
    }

    // A user's config.json may stand in a folder of any name.
    private static string FileName(string shape) =>
        string.Concat(shape.Take(60).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_'));
}
