using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Folders;

/// <summary>Makes a folder of a manifest: once, whole or not at all, and never over something else.</summary>
/// <param name="Manifest">Equal for equal contents; the folder holds it.</param>
/// <param name="Bytes">About what its files take.</param>
/// <param name="Write">Writes all files but the manifest into a folder.</param>
internal sealed record FolderBuild(Func<string> Manifest, long Bytes, Action<string> Write)
{
    /// <summary>
    /// Makes the folder and opens it. If it is there already, of the same manifest, it is only opened; another process that makes it at
    /// this moment is waited for. Whatever ends it early leaves nothing behind.
    /// </summary>
    /// <exception cref="ModelException">A folder that holds something else, no space, no permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ModelFolder Make(string folder, BuildMachine machine, CancellationToken cancellationToken)
    {
        try
        {
            // Asked before the lock too, so that a finished folder in a place without write permission can be used.
            if (Existing(folder) is { } finished)
            {
                return finished;
            }

            using var directory = BuildDirectory.Acquire(folder, cancellationToken);
            if (Existing(directory.Target) is { } builtMeanwhile)
            {
                return builtMeanwhile;
            }

            directory.Begin();
            machine.RequireSpace(directory.Target, Bytes, "model");
            Write(directory.Temporary);
            File.WriteAllText(Path.Combine(directory.Temporary, BuildManifest.FileName), Manifest());
            cancellationToken.ThrowIfCancellationRequested();

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

    /// <summary>The folder, if it was made of the same manifest and is whole; null where a build may write.</summary>
    private ModelFolder? Existing(string folder)
    {
        if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            return null;
        }

        if (!string.Equals(BuildManifest.ReadText(folder), Manifest(), StringComparison.Ordinal))
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
}
