using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Weights;
using Microsoft.Win32.SafeHandles;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>
/// The weights of a Hugging Face checkpoint, in the forms that graphs want. Streams: a piece of work reads some rows of one tensor,
/// converts them and writes them, so that memory depends on the number of threads and not on the model.
/// </summary>
internal sealed class CheckpointWeights(Checkpoint checkpoint, bool symmetric, ConversionCounts counts) : IWeightSource
{
    // Rows that are written whole can be few. Those of a transposed matrix go to K places of the file, each a run of so many elements.
    private const int PieceBytes = 4 << 20;
    private const int TransposedPieceBytes = 24 << 20;
    private const int PanelRows = 32;

    // Keeps the columns of a transposed piece from lying a power of two apart, where they would push each other out of the cache.
    private const int Padding = 32;

    private const int Input = 0;
    private const int Floats = 1;
    private const int Output = 2;
    private const int Scales = 3;

    public IEnumerable<Piece> Embedding(ExternalTensor place) => Rows(checkpoint.Tensors[LlamaTensors.Embedding], place, firstRow: 0);

    public IEnumerable<Piece> Norm(string path, ExternalTensor place) =>
        CheckpointNames.Of(path, checkpoint.Shape).SelectMany(name => Rows(checkpoint.Tensors[$"{name}.weight"], place, firstRow: 0));

    public IEnumerable<Piece> Bias(string path, ExternalTensor place) =>
        Parts(path, "bias").SelectMany(part => Rows(part.Tensor, place, part.FirstRow));

    public IEnumerable<Piece> Matrix(string path, ExternalTensor place) =>
        from part in Parts(path, "weight")
        from rows in Split(part, TransposedPieceBytes)
        select new Piece(writer => Transpose(rows, place, writer));

    public IEnumerable<Piece> Quantized(string path, QuantizedMatrix places) =>
        from part in Parts(path, "weight")
        from rows in Split(part, PieceBytes)
        select new Piece(writer => Quantize(rows, places, writer));

    /// <summary>The tensors that a module of the graph is put together from, one below the other.</summary>
    private IEnumerable<RowRange> Parts(string path, string kind)
    {
        long first = 0;
        foreach (string name in CheckpointNames.Of(path, checkpoint.Shape))
        {
            CheckpointTensor tensor = checkpoint.Tensors[$"{name}.{kind}"];
            yield return new RowRange(tensor, 0, (int)tensor.Shape[0], first);
            first += tensor.Shape[0];
        }
    }

    private static IEnumerable<RowRange> Split(RowRange part, int bytes)
    {
        int rows = (int)Math.Max(1, bytes / part.RowBytes);
        for (int first = 0; first < part.Count; first += rows)
        {
            yield return part with
            {
                Start = first,
                Count = Math.Min(rows, part.Count - first),
                FirstRow = part.FirstRow + first,
            };
        }
    }

    /// <summary>Rows as they are, a vector's elements included, in the type of the place.</summary>
    private IEnumerable<Piece> Rows(CheckpointTensor tensor, ExternalTensor place, long firstRow) =>
        from rows in Split(new RowRange(tensor, 0, (int)tensor.Shape[0], firstRow), PieceBytes)
        select new Piece(writer =>
        {
            ReadOnlySpan<byte> source = Read(rows, writer);
            Span<float> values = writer.Memory<float>(Floats, rows.Count * rows.Width);
            Span<Half> half = place.Type == DataType.Float16 ? writer.Memory<Half>(Output, values.Length) : [];
            SourceRow.Widen(source, tensor.Type, values);
            SourceRow.MakeStorable(values, half, tensor.Name, counts);
            long element = rows.FirstRow * rows.Width;
            if (half.IsEmpty)
            {
                writer.Write<float>(values, place, element * sizeof(float));
            }
            else
            {
                writer.Write<Half>(half, place, element * sizeof(ushort));
            }
        });

    private void Quantize(RowRange rows, QuantizedMatrix places, PieceWriter writer)
    {
        bool isHalf = places.Scales.Type == DataType.Float16;
        int blocks = places.K / places.BlockSize;
        int packedRow = places.K * places.Bits / 8;
        int zeroRow = symmetric ? 0 : ((blocks * places.Bits) + 7) / 8;
        ReadOnlySpan<byte> source = Read(rows, writer);
        Span<float> row = writer.Memory<float>(Floats, 2 * places.K);
        Span<Half> half = isHalf ? MemoryMarshal.Cast<float, Half>(row[places.K..])[..places.K] : [];
        row = row[..places.K];
        Span<byte> packed = writer.Memory<byte>(Output, rows.Count * (packedRow + zeroRow));
        Span<byte> zeros = packed[(rows.Count * packedRow)..];
        Span<float> scales = writer.Memory<float>(Scales, rows.Count * blocks);
        var quantizer = new BlockQuantizer(places.Bits, places.BlockSize, symmetric, isHalf);
        for (int i = 0; i < rows.Count; i++)
        {
            SourceRow.Widen(source.Slice(i * rows.RowBytes, rows.RowBytes), rows.Tensor.Type, row);
            SourceRow.MakeStorable(row, half, rows.Tensor.Name, counts);
            quantizer.Quantize(
                row,
                packed.Slice(i * packedRow, packedRow),
                scales.Slice(i * blocks, blocks),
                zeros.Slice(i * zeroRow, zeroRow)
            );
        }

        writer.Write<byte>(packed[..(rows.Count * packedRow)], places.Packed, rows.FirstRow * packedRow);
        WriteFloats(scales, isHalf, places.Scales, rows.FirstRow * blocks, writer);
        if (places.ZeroPoints is { } zeroPoints)
        {
            writer.Write<byte>(zeros, zeroPoints, rows.FirstRow * zeroRow);
        }
    }

    /// <summary>Converts a few rows at a time, so that each column of them is a run in the transposed matrix.</summary>
    private void Transpose(RowRange rows, ExternalTensor place, PieceWriter writer)
    {
        int columns = rows.Width;
        bool isHalf = place.Type == DataType.Float16;
        ReadOnlySpan<byte> source = Read(rows, writer);
        Span<float> panel = writer.Memory<float>(Floats, PanelRows * columns);
        Span<Half> halfPanel = isHalf ? writer.Memory<Half>(Scales, PanelRows * columns) : [];
        int stride = rows.Count + Padding;
        Span<float> floats = isHalf ? [] : writer.Memory<float>(Output, stride * columns);
        Span<Half> halves = isHalf ? writer.Memory<Half>(Output, stride * columns) : [];
        for (int first = 0; first < rows.Count; first += PanelRows)
        {
            int elements = Math.Min(PanelRows, rows.Count - first) * columns;
            SourceRow.Widen(source.Slice(first * rows.RowBytes, elements / columns * rows.RowBytes), rows.Tensor.Type, panel[..elements]);
            SourceRow.MakeStorable(panel[..elements], isHalf ? halfPanel[..elements] : [], rows.Tensor.Name, counts);
            if (isHalf)
            {
                Turn<Half>(halfPanel[..elements], columns, halves[first..], stride);
            }
            else
            {
                Turn<float>(panel[..elements], columns, floats[first..], stride);
            }
        }

        for (int column = 0; column < columns; column++)
        {
            long element = (column * place.Dims[1]) + rows.FirstRow;
            if (isHalf)
            {
                writer.Write<Half>(halves.Slice(column * stride, rows.Count), place, element * sizeof(ushort));
            }
            else
            {
                writer.Write<float>(floats.Slice(column * stride, rows.Count), place, element * sizeof(float));
            }
        }
    }

    private static void Turn<T>(ReadOnlySpan<T> panel, int columns, Span<T> destination, int stride)
    {
        for (int column = 0; column < columns; column++)
        {
            int target = column * stride;
            for (int from = column; from < panel.Length; from += columns)
            {
                destination[target++] = panel[from];
            }
        }
    }

    private static void WriteFloats(Span<float> values, bool isHalf, ExternalTensor place, long element, PieceWriter writer)
    {
        if (!isHalf)
        {
            writer.Write<float>(values, place, element * sizeof(float));
            return;
        }

        Span<Half> halves = writer.Memory<Half>(Floats, values.Length);
        TensorPrimitives.ConvertToHalf(values, halves);
        writer.Write<Half>(halves, place, element * sizeof(ushort));
    }

    private static ReadOnlySpan<byte> Read(RowRange rows, PieceWriter writer)
    {
        Span<byte> bytes = writer.Memory<byte>(Input, rows.Count * rows.RowBytes);
        try
        {
            using SafeFileHandle file = File.OpenHandle(rows.Tensor.File);
            SafetensorsFile.ReadAll(file, bytes, rows.Tensor.Offset + ((long)rows.Start * rows.RowBytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{rows.Tensor.File} cannot be read: {Shown.Text(e.Message)}", e);
        }

        return bytes;
    }

    /// <summary>Some rows of a tensor.</summary>
    /// <param name="Tensor">[rows, width], or a vector of rows of one element.</param>
    /// <param name="Start">First of them in the tensor.</param>
    /// <param name="Count">How many.</param>
    /// <param name="FirstRow">Where the first one goes in the module's matrix.</param>
    private sealed record RowRange(CheckpointTensor Tensor, int Start, int Count, long FirstRow)
    {
        public int Width => Tensor.Shape.Count > 1 ? (int)Tensor.Shape[1] : 1;

        public int RowBytes => Width * (Tensor.Type == CheckpointType.Float32 ? sizeof(float) : sizeof(ushort));
    }
}
