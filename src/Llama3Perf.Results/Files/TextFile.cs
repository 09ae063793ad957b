using System.Text;

namespace Llama3Perf.Results.Files;

/// <summary>Writes a text file whole or not at all: UTF-8 without a byte order mark, beside and renamed.</summary>
internal static class TextFile
{
    /// <summary>Writes the file and the folders above it.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string path, string text)
    {
        string partial = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            File.WriteAllText(partial, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
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
