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
        string partial = $"{target}.{Guid.NewGuid():N}.partial";
        try
        {
            File.WriteAllBytes(partial, bytes);
            File.Move(partial, target, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
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
