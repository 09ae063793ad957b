using System.Runtime.InteropServices;
using Llama3Perf.Models.Weights;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Converting;

/// <summary>Floating-point tensors of an ONNX folder, on their way into a GGUF file.</summary>
internal static class FloatSource
{
    private const int PieceBytes = 4 << 20;
    private const int TransposedPieceBytes = 16 << 20;
    private const int Tile = 64;

    /// <summary>Rows as they are, in the same type.</summary>
    public static IEnumerable<Piece> Copy(OnnxTensor source, ExternalTensor target)
    {
        for (long start = 0; start < source.Length; start += PieceBytes)
        {
            long first = start;
            int length = (int)Math.Min(PieceBytes, source.Length - start);
            yield return writer =>
            {
                Span<byte> bytes = writer.Memory<byte>(0, length);
                source.Read(bytes, first);
                writer.Write<byte>(bytes, target, first);
            };
        }
    }

    /// <summary>A vector in float32, the only type that llama.cpp takes norms and biases in.</summary>
    /// <param name="source">All elements that it is a part of.</param>
    /// <param name="part">Which of them, with one input each.</param>
    public static Piece Vector(OnnxTensor source, MatrixPart part) =>
        writer =>
        {
            Span<byte> bytes = writer.Memory<byte>(0, part.Rows * source.Size);
            Span<float> values = writer.Memory<float>(1, part.Rows);
            Span<float> placed = writer.Memory<float>(2, part.Rows);
            source.Read(bytes, (long)part.FirstRow * source.Size);
            source.Widen(bytes, values);
            for (int i = 0; i < values.Length; i++)
            {
                placed[part.RowInTarget(i)] = values[i];
            }

            writer.Write<float>(placed, part.Target, 0);
        };

    /// <summary>Columns of an [K, N] matrix as rows.</summary>
    /// <param name="source">The matrix.</param>
    /// <param name="n">N.</param>
    /// <param name="part">Which columns.</param>
    public static IEnumerable<Piece> Transpose(OnnxTensor source, int n, MatrixPart part) =>
        part.Split((long)part.K * source.Size, TransposedPieceBytes)
            .Select(columns => new Piece(writer =>
            {
                int run = columns.Count * source.Size;
                Span<byte> input = writer.Memory<byte>(0, part.K * run);
                Span<byte> output = writer.Memory<byte>(1, input.Length);
                source.ReadRuns(input, run, (long)(part.FirstRow + columns.First) * source.Size, (long)n * source.Size);
                if (source.Type == DataType.Float16)
                {
                    Turn(MemoryMarshal.Cast<byte, ushort>(input), MemoryMarshal.Cast<byte, ushort>(output), columns.Count, part);
                }
                else
                {
                    Turn(MemoryMarshal.Cast<byte, uint>(input), MemoryMarshal.Cast<byte, uint>(output), columns.Count, part);
                }

                writer.Write<byte>(output, part.Target, (long)columns.First * part.K * source.Size);
            }));

    // Tile by tile, so that neither side's lines leave the cache before they are used up.
    private static void Turn<T>(ReadOnlySpan<T> input, Span<T> output, int columns, MatrixPart part)
    {
        for (int firstColumn = 0; firstColumn < columns; firstColumn += Tile)
        {
            int lastColumn = Math.Min(columns, firstColumn + Tile);
            for (int firstK = 0; firstK < part.K; firstK += Tile)
            {
                int lastK = Math.Min(part.K, firstK + Tile);
                for (int column = firstColumn; column < lastColumn; column++)
                {
                    Span<T> row = output.Slice(part.RowInTarget(column) * part.K, part.K);
                    for (int k = firstK; k < lastK; k++)
                    {
                        row[k] = input[(k * columns) + column];
                    }
                }
            }
        }
    }
}
