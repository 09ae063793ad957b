using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Gguf;

/// <summary>
/// Reads GGUF's header, versions 2 and 3 (<c>ggml/docs/gguf.md</c>): keys and values, then the tensors' names, sizes, types and places.
/// Everything is held against the bytes that are there before memory is taken for it.
/// </summary>
internal static class GgufReader
{
    private const int DefaultAlignment = 32;
    private const int MaxAlignment = 1 << 20;

    // llama.cpp keeps 64 bytes for a name, the last one 0.
    private const int MaxTensorName = 63;
    private const int MaxKey = 65535;
    private const int MaxDims = 4;

    // The smallest value: a key of a length of 8 bytes, its type, one byte. The smallest tensor: name, dimensions, type, offset.
    private const int MinValueBytes = 8 + 4 + 1;
    private const int MinTensorBytes = 8 + 4 + 8 + 4 + 8;

    private const string Tokens = "tokenizer.ggml.tokens";

    private static readonly string[] s_besideTokens = ["tokenizer.ggml.token_type", "tokenizer.ggml.scores"];

    public static GgufFile Read(string path)
    {
        try
        {
            using FileStream stream = InputFile.Open(path, long.MaxValue, "is not a GGUF file");
            var source = new GgufSource(path, stream);
            (ulong tensors, ulong values) = Counts(source);
            Dictionary<string, object> single = new(StringComparer.Ordinal);
            Dictionary<string, long> arrays = new(StringComparer.Ordinal);
            for (ulong i = 0; i < values; i++)
            {
                ReadValue(source, single, arrays);
            }

            CheckVocabulary(path, arrays);
            List<GgufTensor> read = [];
            for (ulong i = 0; i < tensors; i++)
            {
                read.Add(ReadTensor(source));
            }

            return new GgufFile
            {
                Path = path,
                Length = source.Length,
                Values = single,
                Arrays = arrays,
                Tensors = Placed(source, read, Alignment(path, single)),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path} cannot be read: {Shown.Text(e.Message)}", e);
        }
    }

    private static (ulong Tensors, ulong Values) Counts(GgufSource source)
    {
        if (source.Length < 24 || source.UInt32() != 0x4655_4747)
        {
            throw new ModelException($"{source.Path} is not a GGUF file: it does not begin with GGUF. Download or convert it again.");
        }

        uint version = source.UInt32();
        if (version is not (2 or 3))
        {
            throw new ModelException(
                (version & 0xFFFF) == 0
                    ? $"{source.Path} is a GGUF file of a big-endian machine, which is not read. Convert the model again."
                    : $"{source.Path} is a GGUF file of version {version}; 2 and 3 are read. Convert the model again."
            );
        }

        ulong tensors = source.UInt64();
        ulong values = source.UInt64();
        source.Fits(tensors, MinTensorBytes, "tensors");
        source.Fits(values, MinValueBytes, "values");
        return (tensors, values);
    }

    private static void ReadValue(GgufSource source, Dictionary<string, object> single, Dictionary<string, long> arrays)
    {
        string key = source.Text(MaxKey, "a key");
        uint type = source.UInt32();
        bool isNew = type == GgufSource.Array ? arrays.TryAdd(key, ReadArray(source, key)) : single.TryAdd(key, source.Value(type, key));
        if (!isNew || (single.ContainsKey(key) && arrays.ContainsKey(key)))
        {
            throw source.Damaged($"the key '{Shown.Text(key)}' comes twice");
        }
    }

    private static long ReadArray(GgufSource source, string key)
    {
        uint type = source.UInt32();
        ulong count = source.UInt64();
        if (type != GgufSource.String)
        {
            source.Skip(count, GgufSource.Size(type) ?? throw source.Damaged($"'{Shown.Text(key)}' is an array of type {type}"));
            return (long)count;
        }

        source.Fits(count, sizeof(ulong), $"texts of '{Shown.Text(key)}'");

        // llama.cpp ends the process over a token that comes twice.
        HashSet<string>? tokens = key == Tokens ? new HashSet<string>(StringComparer.Ordinal) : null;
        for (ulong i = 0; i < count; i++)
        {
            if (tokens is null)
            {
                source.SkipText($"a text of '{Shown.Text(key)}'");
            }
            else if (source.Text(int.MaxValue, "a token") is var token && !tokens.Add(token))
            {
                throw source.Damaged($"the token '{Shown.Text(token)}' comes twice");
            }
        }

        return (long)count;
    }

    private static void CheckVocabulary(string path, Dictionary<string, long> arrays)
    {
        long tokens = arrays.GetValueOrDefault(Tokens);
        if (s_besideTokens.FirstOrDefault(key => arrays.TryGetValue(key, out long count) && count != tokens) is { } other)
        {
            throw new ModelException(
                $"{path} is damaged: {Tokens} has {tokens} entries and {other} {arrays[other]}. Download or convert it again."
            );
        }
    }

    private static GgufTensor ReadTensor(GgufSource source)
    {
        string name = source.Text(MaxTensorName, "a tensor's name");
        uint count = source.UInt32();
        if (count is 0 or > MaxDims)
        {
            throw source.Damaged($"tensor '{Shown.Text(name)}' has {count} dimensions");
        }

        long[] dims = new long[count];
        Int128 elements = 1;
        for (int i = 0; i < count; i++)
        {
            dims[i] = (long)Math.Min(source.UInt64(), long.MaxValue);
            elements = elements <= long.MaxValue ? elements * dims[i] : elements;
        }

        uint number = source.UInt32();
        ulong offset = source.UInt64();
        GgufType type =
            GgufType.Find(number)
            ?? throw new ModelException($"{source.Path}: tensor '{Shown.Text(name)}' is of type {number}, which is not known here.");
        Int128 bytes = elements / type.BlockElements * type.BlockBytes;
        return elements > 0 && dims[0] % type.BlockElements == 0 && bytes <= source.Length && offset <= (ulong)source.Length
            ? new GgufTensor(name, type, dims, (long)offset, (long)bytes)
            : throw source.Damaged($"tensor '{Shown.Text(name)}' has impossible sizes [{string.Join(", ", dims)}] or lies behind the end");
    }

    private static int Alignment(string path, Dictionary<string, object> values) =>
        values.GetValueOrDefault("general.alignment") switch
        {
            null => DefaultAlignment,
            ulong number when number is > 0 and <= MaxAlignment && ulong.IsPow2(number) => (int)number,
            object other => throw new ModelException(
                $"{path}: general.alignment is {Shown.Text(other.ToString()!)}, expected a power of 2 up to {MaxAlignment}."
            ),
        };

    /// <summary>Tensors at their places in the file: one behind the other, each padded, as llama.cpp wants them.</summary>
    private static GgufTensor[] Placed(GgufSource source, List<GgufTensor> tensors, int alignment)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        long start = Padded(source.Position, alignment);
        long expected = 0;
        foreach (GgufTensor tensor in tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw source.Damaged($"tensor '{Shown.Text(tensor.Name)}' comes twice");
            }

            if (tensor.Offset != expected)
            {
                throw source.Damaged($"tensor '{Shown.Text(tensor.Name)}' is said to begin at {tensor.Offset}, its place is {expected}");
            }

            if (start + expected + tensor.Length > source.Length)
            {
                throw new ModelException(
                    $"{source.Path} is truncated: it has {source.Length} bytes, tensor '{Shown.Text(tensor.Name)}' ends at "
                        + $"{start + expected + tensor.Length}. Download or convert it again."
                );
            }

            expected = Padded(expected + tensor.Length, alignment);
        }

        return [.. tensors.Select(tensor => tensor with { Offset = start + tensor.Offset })];
    }

    internal static long Padded(long bytes, int alignment) => (bytes + alignment - 1) / alignment * alignment;
}
