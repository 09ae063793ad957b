namespace Llama3Perf.Results.Files;

/// <summary>Opens files that may come from anybody: regular ones up to a size. A pipe would wait for ever, a device never end.</summary>
internal static class RegularFile
{
    /// <summary>The largest table of a run that is read.</summary>
    public const long MaxTableBytes = 64L << 30;

    /// <summary>The largest JSON file that is read: a noise record has some hundred bytes a case.</summary>
    public const long MaxJsonBytes = 256L << 20;

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="RunFileException">It is no regular file, or too large.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static FileStream Open(string path, long maxBytes)
    {
        if (OutputPath.IsSpecial(path))
        {
            throw new RunFileException($"{path} is no regular file; copy what it gives into one");
        }

        FileStream file = File.OpenRead(path);
        long length = file.Length;
        if (length > maxBytes)
        {
            file.Dispose();
            throw new RunFileException($"{path} has {length} bytes, more than the {maxBytes} that are read of such a file");
        }

        return file;
    }

    /// <summary>The whole of a JSON file.</summary>
    /// <exception cref="RunFileException">It is no regular file, or too large.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] ReadBytes(string path)
    {
        using FileStream file = Open(path, MaxJsonBytes);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
