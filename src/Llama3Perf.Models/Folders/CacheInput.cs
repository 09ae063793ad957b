using System.Globalization;
using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Folders;

/// <summary>An input of past keys or values, [batch, KV heads, past sequence, width of a head as it is stored].</summary>
/// <param name="Name">Name of the input.</param>
/// <param name="Type">Type of its elements.</param>
/// <param name="Heads">KV heads; null where the graph keeps them symbolic.</param>
/// <param name="Width">Elements of one head; null where the graph keeps them symbolic. Two values of 4 bits are one element.</param>
internal sealed record CacheInput(string Name, DataType Type, long? Heads, long? Width)
{
    /// <summary>True for integers with scales.</summary>
    public bool IsQuantized => Type is DataType.Uint8 or DataType.Int8 or DataType.Uint4 or DataType.Int4;

    /// <summary>Bits of a key or value; two of 4 are one element of 8.</summary>
    public int Bits =>
        Type is DataType.Int8 ? 8
        : IsQuantized ? 4
        : OnnxFile.BitSize(Type);

    /// <summary>All of a graph, in its order.</summary>
    public static IReadOnlyList<CacheInput> All(GraphProto graph, DecoderNames names) =>
        [
            .. graph
                .Input.Where(input => Layer(names.PastKey, input.Name) is not null || Layer(names.PastValue, input.Name) is not null)
                .Select(Of),
        ];

    /// <summary>The layer that a name belongs to by its pattern, or null.</summary>
    public static int? Layer(string pattern, string name)
    {
        int at = pattern.IndexOf("%d", StringComparison.Ordinal);
        return
            at >= 0
            && name.Length > pattern.Length - 2
            && name.StartsWith(pattern[..at], StringComparison.Ordinal)
            && name.EndsWith(pattern[(at + 2)..], StringComparison.Ordinal)
            && int.TryParse(
                name.AsSpan(at, name.Length - pattern.Length + 2),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out int layer
            )
            ? layer
            : null;
    }

    private static CacheInput Of(ValueInfoProto input)
    {
        TypeProto.Types.Tensor? tensor = input.Type?.TensorType;
        return new CacheInput(input.Name, tensor?.ElemType ?? DataType.Undefined, Fixed(tensor, 1), Fixed(tensor, 3));
    }

    private static long? Fixed(TypeProto.Types.Tensor? tensor, int dimension) =>
        tensor?.Shape is { } shape && dimension < shape.Dim.Count && shape.Dim[dimension].DimValue is > 0 and var value ? value : null;
}
