using Llama3Perf.Benchmarks.Display;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Benchmarks.Suite;

/// <summary>Makes and identifies model folders for a person who waits: a progress bar, and a clean end on Ctrl-C.</summary>
internal sealed class ModelPreparation(string root)
{
    private readonly ModelStore _store = new(root);
    private readonly Dictionary<string, string> _fingerprints = [];

    /// <summary>The folder for these options under the store's root, made if it is not there yet.</summary>
    public ModelFolder Prepare(ModelBuildOptions options) => ByteProgress.Show(
        $"building {options.Shape} {options.Precision.ToString().ToLowerInvariant()}",
        (progress, cancellation) => _store.GetOrBuild(options, progress, cancellation));

    /// <summary>Makes a folder where the user wants it.</summary>
    public static ModelFolder Build(ModelBuildOptions options, string folder) => ByteProgress.Show(
        $"building {options.Shape} {options.Precision.ToString().ToLowerInvariant()}",
        (progress, cancellation) => ModelBuilder.Build(options, folder, progress, cancellation));

    /// <summary>SHA-256 that identifies the folder's contents, once for each folder of a run.</summary>
    public string Fingerprint(ModelFolder folder)
    {
        if (!_fingerprints.TryGetValue(folder.Path, out string? fingerprint))
        {
            fingerprint = ByteProgress.Show($"hashing {folder.Name}", (progress, cancellation) => ModelFingerprint.Compute(folder, progress, cancellation));
            _fingerprints.Add(folder.Path, fingerprint);
        }

        return fingerprint;
    }
}
