namespace Llama3Perf.Fuzz.Mutations;

/// <summary>Damages bytes without knowing what they mean.</summary>
internal static class ByteMutation
{
    private static readonly byte[][] s_tokens =
    [
        "\0"u8.ToArray(),
        "\n"u8.ToArray(),
        "\r\n"u8.ToArray(),
        "\""u8.ToArray(),
        ","u8.ToArray(),
        "{"u8.ToArray(),
        "}"u8.ToArray(),
        "["u8.ToArray(),
        "null"u8.ToArray(),
        "-1"u8.ToArray(),
        "1e999"u8.ToArray(),
        "NaN"u8.ToArray(),
        "9223372036854775807"u8.ToArray(),
        "18446744073709551616"u8.ToArray(),
        "../x"u8.ToArray(),
        "=1+1"u8.ToArray(),
        "\xEF\xBB\xBF"u8.ToArray(),
        [0xFF],
        [0xC0, 0x80],
        [0xED, 0xA0, 0x80],
        [0xFF, 0xFF, 0xFF, 0xFF],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        "\uD83D\uDE00"u8.ToArray(),
        "\u2028"u8.ToArray(),
    ];

    public static byte[] Apply(byte[] input, Random random)
    {
        List<byte> bytes = [.. input];
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            Once(bytes, random);
        }

        return [.. bytes];
    }

    private static void Once(List<byte> bytes, Random random)
    {
        int at = random.Next(bytes.Count + 1);
        int length = Math.Min(random.Next(1, 1 << random.Next(1, 9)), bytes.Count - at);
        switch (random.Next(7))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < bytes.Count:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - length + 1), length));
                break;
            case 4:
                bytes.InsertRange(at, s_tokens[random.Next(s_tokens.Length)]);
                break;
            case 5:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            default:
                bytes.RemoveRange(at, length);
                bytes.InsertRange(at, s_tokens[random.Next(s_tokens.Length)]);
                break;
        }
    }
}
