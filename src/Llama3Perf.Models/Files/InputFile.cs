namespace Llama3Perf.Models.Files;

/// <summary>
/// Opens files that others made: regular ones with something in them, up to a size. A pipe would wait for ever and a device never end; both
/// have a length of 0, as an empty file has, so that none of them needs to be opened.
/// </summary>
public static class InputFile
{
    /// <summary>The largest JSON file that is read: vocabularies of the largest tokenizers take a tenth of it.</summary>
    public const long MaxJsonBytes = 256L << 20;

    /// <summary>The largest text that is read: prompts, chat templates, how a run was asked for.</summary>
    public const long MaxTextBytes = 16L << 20;

    /// <summary>The largest journal of an interrupted run.</summary>
    public const long MaxJournalBytes = 1L << 30;

    /// <summary>Bytes of a file; of its target where it is a link, as every file of a hub cache is.</summary>
    public static long Length(string path) => new FileInfo(FileLinks.RealPath(path)).Length;

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The largest that is read.</param>
    /// <param name="otherwise">What a file without content is, for the message: <c>is not JSON</c>.</param>
    /// <exception cref="ModelException">It is empty, no regular file, or too large.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static FileStream Open(string path, long maxBytes, string otherwise)
    {
        long length = Length(path);
        return length == 0 ? throw new ModelException($"{path} {otherwise}: it is empty, or no regular file.")
            : length > maxBytes
                ? throw new ModelException($"{path} has {length} bytes, more than the {maxBytes} that are read of such a file.")
            : File.OpenRead(path);
    }

    /// <summary>The whole of a file.</summary>
    /// <exception cref="ModelException">It is empty, no regular file, or too large.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] ReadBytes(string path, long maxBytes, string otherwise)
    {
        using FileStream file = Open(path, maxBytes, otherwise);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Copies a file into a new one that can be written and deleted, as what we make is: on Windows a copy of a read-only file is
    /// neither.</summary>
    /// <exception cref="IOException">It cannot be read, or the new one is there already.</exception>
    public static void Copy(string path, string copy)
    {
        File.Copy(path, copy);
        File.SetAttributes(copy, File.GetAttributes(copy) & ~FileAttributes.ReadOnly);
    }

    /// <summary>The whole of a text file: UTF-8, or what its byte order mark says.</summary>
    /// <exception cref="ModelException">It is empty, no regular file, or too large.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string ReadText(string path, string otherwise)
    {
        using StreamReader reader = new(Open(path, MaxTextBytes, otherwise));
        return reader.ReadToEnd();
    }
}
