using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Llama3Perf.Models.Gguf;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Models.Converting;

/// <summary>Some rows of a product's matrix, on their way into a tensor of a GGUF file.</summary>
/// <param name="Target">Where they go.</param>
/// <param name="FirstRow">The first of them in the matrix: keys stand behind queries.</param>
/// <param name="Rows">How many; each makes one output.</param>
/// <param name="K">Inputs.</param>
/// <param name="Rotated">
/// Rows of a head whose halves are rotated against one another here, pairs of neighbours in llama.cpp: its rows are put in that order
/// (row 2i + s from i + s x half). 0 where nothing is rotated.
/// </param>
internal sealed record MatrixPart(ExternalTensor Target, int FirstRow, int Rows, int K, int Rotated)
{
    /// <summary>Where a row goes, counted within the part.</summary>
    public int RowInTarget(int row)
    {
        if (Rotated == 0)
        {
            return row;
        }

        (int head, int inside) = Math.DivRem(row, Rotated);
        (int s, int i) = Math.DivRem(inside, Rotated / 2);
        return (head * Rotated) + (2 * i) + s;
    }

    /// <summary>Whole heads, or rows, whose bytes come near a piece's.</summary>
    public IEnumerable<(int First, int Count)> Split(long rowBytes, int pieceBytes)
    {
        int step = Math.Max(1, Rotated);
        int count = (int)Math.Max(1, pieceBytes / rowBytes / step) * step;
        for (int first = 0; first < Rows; first += count)
        {
            yield return (first, Math.Min(count, Rows - first));
        }
    }
}

/// <summary>A block-quantized matrix of an ONNX folder.</summary>
/// <param name="Packed">uint8 [N, K / block, block x bits / 8].</param>
/// <param name="Scales">float32 or float16 [N, K / block].</param>
/// <param name="ZeroPoints">uint8 [N, ceil(K / block / 2)] of two nibbles, or null for the symmetric form.</param>
/// <param name="Bits">4 or 8.</param>
/// <param name="BlockSize">Elements that share a scale.</param>
internal sealed record QuantizedSource(OnnxTensor Packed, OnnxTensor Scales, OnnxTensor? ZeroPoints, int Bits, int BlockSize)
{
    private const int PieceBytes = 4 << 20;

    /// <summary>The work that moves rows over.</summary>
    public IEnumerable<Piece> Move(MatrixPart part, GgufType type, ScaleCounts counts) =>
        part.Split((long)part.K * Bits / 8, PieceBytes)
            .Select(rows => new Piece(writer => Move(part, rows.First, rows.Count, type, counts, writer)));

    private void Move(MatrixPart part, int first, int count, GgufType type, ScaleCounts counts, PieceWriter writer)
    {
        int packedRow = part.K * Bits / 8;
        int blocks = part.K / BlockSize;
        int zeroRow = ZeroPoints is null ? 0 : (blocks + 1) / 2;
        int targetRow = (int)type.Bytes(part.K);
        long source = part.FirstRow + first;
        Span<byte> input = writer.Memory<byte>(0, count * (packedRow + zeroRow));
        Span<byte> packed = input[..(count * packedRow)];
        Span<byte> zeros = input[packed.Length..];
        Packed.Read(packed, source * packedRow);
        ZeroPoints?.Read(zeros, source * zeroRow);
        Span<byte> stored = writer.Memory<byte>(3, count * blocks * (Scales.Size + sizeof(float) + sizeof(ushort)));
        Span<float> exact = MemoryMarshal.Cast<byte, float>(stored)[..(count * blocks)];
        Span<Half> scales = MemoryMarshal.Cast<byte, Half>(stored[(exact.Length * sizeof(float))..])[..exact.Length];
        Span<byte> asRead = stored[^(exact.Length * Scales.Size)..];
        Scales.Read(asRead, source * blocks * Scales.Size);
        Scales.Widen(asRead, exact);
        TensorPrimitives.ConvertToHalf(exact, scales);
        counts.Add(exact, scales);
        Span<byte> output = writer.Memory<byte>(2, count * targetRow);
        for (int i = 0; i < count; i++)
        {
            Span<byte> row = output.Slice(part.RowInTarget(i) * targetRow, targetRow);
            Span<byte> values = packed.Slice(i * packedRow, packedRow);
            Span<Half> own = scales.Slice(i * blocks, blocks);
            if (ZeroPoints is not null)
            {
                GgufBlocks.Q4Asymmetric(values, own, exact.Slice(i * blocks, blocks), zeros.Slice(i * zeroRow, zeroRow), row);
            }
            else if (Bits == 4)
            {
                GgufBlocks.Q4Symmetric(values, own, row);
            }
            else
            {
                GgufBlocks.Q8Symmetric(values, own, row);
            }
        }

        writer.Write<byte>(output, part.Target, (long)first * targetRow);
    }
}
