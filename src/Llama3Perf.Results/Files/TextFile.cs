using System.Text;

namespace Llama3Perf.Results.Files;

/// <summary>Writes a file whole or not at all: beside and renamed. Devices and pipes are written in place, links lead to what is
/// replaced.</summary>
internal static class TextFile
{
    /// <summary>Writes text as UTF-8 without a byte order mark, and the folders above the file.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string path, string text) =>
        Write(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(text));

    /// <summary>The same for a file that a user named: one that is there and not of this kind stays.</summary>
    /// <param name="path">The file.</param>
    /// <param name="text">Its text, with the mark near its beginning.</param>
    /// <param name="mark">What tells that a file is of this kind.</param>
    /// <param name="force">Replaces any file.</param>
    /// <exception cref="RunFileException">Something else is there, or it cannot be written.</exception>
    public static void Write(string path, string text, string mark, bool force)
    {
        if (!force)
        {
            Guarded(path, () => OutputPath.RequireOurs(path, mark));
        }

        Write(path, text);
    }

    /// <summary>Writes bytes, and the folders above the file.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string path, byte[] bytes) =>
        Guarded(
            path,
            () =>
            {
                path = Path.GetFullPath(path);
                if (OutputPath.IsSpecial(path))
                {
                    using FileStream device = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                    device.Write(bytes);
                    return;
                }

                string target = OutputPath.Target(path);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                Replace(target, bytes);
            }
        );

    private static void Replace(string target, byte[] bytes)
    {
        RemoveLeft(target);
        string partial = $"{target}.{Guid.NewGuid():N}.partial";
        try
        {
            // Held until it has its name, so that what nobody holds is what a killed process left.
            using FileStream file = new(partial, FileMode.CreateNew, FileAccess.Write, FileShare.Delete, bufferSize: 0);
            file.Write(bytes);
            File.Move(partial, target, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static void RemoveLeft(string target)
    {
        string name = Path.GetFileName(target);
        foreach (string partial in Directory.EnumerateFiles(Path.GetDirectoryName(target)!, $"{name}.*.partial").ToArray())
        {
            if (!Guid.TryParseExact(Path.GetFileName(partial)[(name.Length + 1)..^".partial".Length], "N", out _))
            {
                continue;
            }

            try
            {
                new FileStream(partial, FileMode.Open, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another process writes it, or it was another user.
            }
        }
    }

    private static void Guarded(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new RunFileException($"{path} cannot be written: {e.Message}", e);
        }
    }
}
