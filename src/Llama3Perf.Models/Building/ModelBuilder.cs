using Google.Protobuf;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Tokenizer;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Models.Building;

/// <summary>Builds complete model folders, with random weights or with those of a checkpoint.</summary>
public static class ModelBuilder
{
    private const string GraphFile = "model.onnx";

    /// <summary>
    /// Builds a folder and opens it. If it is there already, made from the same options, it is only opened; another process
    /// that builds it at this moment is waited for. Whatever ends the build early leaves nothing behind.
    /// </summary>
    /// <param name="options">What to build.</param>
    /// <param name="folder">Path of the folder; its parents are created.</param>
    /// <param name="progress">Told the bytes of weights written so far.</param>
    /// <param name="cancellationToken">Ends the build.</param>
    /// <exception cref="ModelException">Impossible options, a folder that holds something else, no space, no permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static ModelFolder Build(
        ModelBuildOptions options,
        string folder,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    ) => Build(BuildPlan.Create(options), folder, new BuildMachine(), progress, cancellationToken);

    /// <summary>Bytes of weights that a build writes, known without building: about what a loaded model takes.</summary>
    /// <exception cref="ModelException">Options that cannot be built.</exception>
    public static long WeightBytes(ModelBuildOptions options) => BuildPlan.Create(options).Data.Length;

    internal static ModelFolder Build(
        BuildPlan plan,
        string folder,
        BuildMachine machine,
        IProgress<BuildProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // Asked before the lock too, so that a finished folder in a place without write permission can be used.
            if (Existing(folder, plan) is { } finished)
            {
                return finished;
            }

            using var directory = BuildDirectory.Acquire(folder, cancellationToken);
            if (Existing(directory.Target, plan) is { } builtMeanwhile)
            {
                return builtMeanwhile;
            }

            directory.Begin();
            machine.RequireSpace(directory.Target, plan.Data.Length, "model");
            WriteFiles(plan, directory.Temporary, machine, progress, cancellationToken);
            // What stands there now is empty, or by its manifest an older build of the same, damaged.
            directory.Commit(replacesOld: BuildManifest.ReadText(directory.Target) is not null);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ModelException($"No permission to write the model folder '{folder}'. Choose another place.", e);
        }
        catch (IOException e)
        {
            throw new ModelException($"The model folder '{folder}' cannot be written: {e.Message}", e);
        }

        return ModelFolderReader.Open(folder);
    }

    /// <summary>The folder, if it was built from the same plan and is whole; null where a build may write.</summary>
    private static ModelFolder? Existing(string folder, BuildPlan plan)
    {
        if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            return null;
        }

        if (!string.Equals(BuildManifest.ReadText(folder), plan.Manifest, StringComparison.Ordinal))
        {
            throw new ModelException($"'{folder}' holds something else already. Delete it or name another folder.");
        }

        try
        {
            return ModelFolderReader.Open(folder);
        }
        catch (ModelException)
        {
            // Damaged, but by its manifest exactly what is about to be built: made anew.
            return null;
        }
    }

    private static void WriteFiles(
        BuildPlan plan,
        string folder,
        BuildMachine machine,
        IProgress<BuildProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var counter = new ByteCounter(plan.Data.Length, progress);

        // A conversion also reads: while some pieces wait for the disk, others are computed.
        int threads = plan.Checkpoint is null ? machine.Threads : 2 * machine.Threads;
        DataFile.Write(
            Path.Combine(folder, BuildPlan.DataFileName),
            plan.Data.Pieces,
            plan.Data.Length,
            threads,
            counter.Add,
            cancellationToken
        );
        if (plan.Checkpoint is { } checkpoint)
        {
            if (!plan.Options.AllowNonFinite)
            {
                plan.Counts.RequireFinite(checkpoint.Path);
            }

            plan.Counts.Report().Write(folder);
        }

        File.WriteAllBytes(Path.Combine(folder, GraphFile), plan.Model.ToByteArray());
        SpecialTokens tokens = plan.WriteTokenizer(folder);
        File.WriteAllText(
            Path.Combine(folder, "genai_config.json"),
            GenAiConfigText.Text(plan.Shape, plan.Options.Target, GraphFile, tokens)
        );
        File.WriteAllText(Path.Combine(folder, BuildManifest.FileName), plan.Manifest);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
