using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Llama3Perf.Inference;

/// <summary>Names a sequence of token ids, so that prompts and outputs can be told apart in files.</summary>
public static class TokenIds
{
    /// <summary>SHA-256 over the ids as little-endian int32, lowercase hexadecimal.</summary>
    public static string Sha256(ReadOnlySpan<int> ids)
    {
        byte[] bytes = new byte[ids.Length * sizeof(int)];
        for (int i = 0; i < ids.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), ids[i]);
        }

        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }
}
