using System.Text;

namespace Llama3Perf.Results.Files;

/// <summary>Writes a file whole or not at all: beside and renamed.</summary>
internal static class TextFile
{
    /// <summary>Writes text as UTF-8 without a byte order mark, and the folders above the file.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string path, string text) => Write(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(text));

    /// <summary>Writes bytes, and the folders above the file.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string path, byte[] bytes)
    {
        string partial = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            File.WriteAllBytes(partial, bytes);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFileException($"{path} cannot be written: {e.Message}", e);
        }
        finally
        {
            if (File.Exists(partial))
            {
                File.Delete(partial);
            }
        }
    }
}
