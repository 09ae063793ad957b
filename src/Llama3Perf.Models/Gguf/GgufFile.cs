namespace Llama3Perf.Models.Gguf;

/// <summary>
/// A GGUF file that was checked: its counts, lengths and places are true of the file, no key or tensor comes twice, and the parts of a
/// vocabulary are equally long. What llama.cpp's own loader would trust is known here before it is asked.
/// </summary>
public sealed record GgufFile
{
    /// <summary>Absolute path.</summary>
    public required string Path { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Length { get; init; }

    /// <summary>Single values by key: <see cref="string"/>, <see cref="bool"/>, <see cref="long"/>, <see cref="ulong"/> or
    /// <see cref="double"/>.</summary>
    public required IReadOnlyDictionary<string, object> Values { get; init; }

    /// <summary>Lengths of the arrays by key.</summary>
    public required IReadOnlyDictionary<string, long> Arrays { get; init; }

    /// <summary>The tensors in file order.</summary>
    public required IReadOnlyList<GgufTensor> Tensors { get; init; }

    /// <summary><c>general.architecture</c>: <c>llama</c>.</summary>
    public string Architecture => Text("general.architecture") ?? throw Missing("general.architecture");

    /// <summary>Reads and checks a file; weights are not read.</summary>
    /// <exception cref="ModelException">The file is no GGUF, damaged, truncated or of a version or type that is not known.</exception>
    public static GgufFile Open(string path) => GgufReader.Read(System.IO.Path.GetFullPath(path));

    /// <summary>A text, or null.</summary>
    public string? Text(string key) => Values.GetValueOrDefault(key) as string;

    /// <summary>A whole number from <paramref name="minimum"/> to int.MaxValue; null where the key is absent.</summary>
    /// <exception cref="ModelException">Another kind of value stands there.</exception>
    public int? Integer(string key, int minimum = 0) =>
        Values.GetValueOrDefault(key) switch
        {
            null => null,
            ulong number when number >= (ulong)minimum && number <= int.MaxValue => (int)number,
            long number when number >= minimum && number <= int.MaxValue => (int)number,
            object other => throw new ModelException($"{Path}: {key} is {Files.Shown.Text(other.ToString()!)}, expected a whole number."),
        };

    /// <summary>A key of the file's architecture: <c>context_length</c> of <c>llama.context_length</c>.</summary>
    /// <exception cref="ModelException">It is missing, or no whole number above 0.</exception>
    public int Required(string key) => Integer($"{Architecture}.{key}", minimum: 1) ?? throw Missing($"{Architecture}.{key}");

    private ModelException Missing(string key) => new($"{Path}: {key} is missing. Convert or download the model again.");
}

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Name">llama.cpp's name: <c>blk.0.attn_q.weight</c>.</param>
/// <param name="Type">How it is stored.</param>
/// <param name="Dims">Sizes, the innermost first: [K, N] for a matrix of N rows.</param>
/// <param name="Offset">First byte, counted from the beginning of the file.</param>
/// <param name="Length">Bytes.</param>
public sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Dims, long Offset, long Length);
