namespace Llama3Perf.Models.Gguf;

/// <summary>A type of tensors in a GGUF file, as llama.cpp's <c>ggml.h</c> numbers and sizes it.</summary>
/// <param name="Id">Number in the file.</param>
/// <param name="Name">llama.cpp's name, in lowercase letters: <c>q4_0</c>.</param>
/// <param name="BlockElements">Elements of a block; a row is whole blocks.</param>
/// <param name="BlockBytes">Bytes of a block.</param>
public sealed record GgufType(uint Id, string Name, int BlockElements, int BlockBytes)
{
    /// <summary>float32.</summary>
    public static GgufType F32 { get; } = new(0, "f32", 1, 4);

    /// <summary>float16.</summary>
    public static GgufType F16 { get; } = new(1, "f16", 1, 2);

    /// <summary>Value = (q - 8) d: float16 d, then 32 nibbles q, element j low and j + 16 high in byte j.</summary>
    public static GgufType Q4 { get; } = new(2, "q4_0", 32, 18);

    /// <summary>Value = q d + m: float16 d and m, then 32 nibbles as in <see cref="Q4"/>.</summary>
    public static GgufType Q4Minimum { get; } = new(3, "q4_1", 32, 20);

    /// <summary>Value = q d: float16 d, then 32 signed bytes q.</summary>
    public static GgufType Q8 { get; } = new(8, "q8_0", 32, 34);

    // The others can be measured as they are, by llama.cpp alone.
    private static readonly GgufType[] s_all =
    [
        F32,
        F16,
        Q4,
        Q4Minimum,
        new(6, "q5_0", 32, 22),
        new(7, "q5_1", 32, 24),
        Q8,
        new(9, "q8_1", 32, 36),
        new(10, "q2_k", 256, 84),
        new(11, "q3_k", 256, 110),
        new(12, "q4_k", 256, 144),
        new(13, "q5_k", 256, 176),
        new(14, "q6_k", 256, 210),
        new(15, "q8_k", 256, 292),
        new(16, "iq2_xxs", 256, 66),
        new(17, "iq2_xs", 256, 74),
        new(18, "iq3_xxs", 256, 98),
        new(19, "iq1_s", 256, 50),
        new(20, "iq4_nl", 32, 18),
        new(21, "iq3_s", 256, 110),
        new(22, "iq2_s", 256, 82),
        new(23, "iq4_xs", 256, 136),
        new(24, "i8", 1, 1),
        new(25, "i16", 1, 2),
        new(26, "i32", 1, 4),
        new(27, "i64", 1, 8),
        new(28, "f64", 1, 8),
        new(29, "iq1_m", 256, 56),
        new(30, "bf16", 1, 2),
        new(34, "tq1_0", 256, 54),
        new(35, "tq2_0", 256, 66),
        new(39, "mxfp4", 32, 17),
    ];

    /// <summary>The type of that number, or null.</summary>
    internal static GgufType? Find(uint id) => Array.Find(s_all, type => type.Id == id);

    /// <summary>Bytes of so many elements, whole blocks of them.</summary>
    public long Bytes(long elements) => checked(elements / BlockElements * BlockBytes);
}
