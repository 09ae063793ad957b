namespace Llama3Perf.Models.Files;

/// <summary>What a build takes from the machine.</summary>
internal sealed record BuildMachine
{
    // The tokenizer files of a 128k vocabulary and the file system's own needs.
    private const long SpareBytes = 32 << 20;

    /// <summary>Threads that fill and write.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes that the user may still write to the file system of a folder.</summary>
    public Func<string, long> FreeBytes { get; init; } =
        folder => new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : folder).AvailableFreeSpace;

    /// <summary>Refuses a build for which there is no room beside the folder that it will become.</summary>
    /// <param name="folder">The folder; its parent is there.</param>
    /// <param name="weightBytes">Bytes of weights.</param>
    /// <param name="what">What is built, for the message.</param>
    /// <exception cref="ModelException">With both numbers.</exception>
    public void RequireSpace(string folder, long weightBytes, string what)
    {
        string parent = Path.GetDirectoryName(folder)!;
        long needed = weightBytes + SpareBytes;
        long free = FreeBytes(parent);
        if (free < needed)
        {
            throw new ModelException(
                $"Not enough disk space in '{parent}': the {what} needs {needed / 1e9:0.00} GB, {free / 1e9:0.00} GB are free."
            );
        }
    }
}
