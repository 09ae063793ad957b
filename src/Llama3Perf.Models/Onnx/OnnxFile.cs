using System.Globalization;
using Google.Protobuf;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Onnx;

/// <summary>Reads and writes the structure of an ONNX file; weights stay where they are.</summary>
internal static class OnnxFile
{
    // What protobuf itself can read.
    private const long MaxBytes = int.MaxValue;

    /// <summary>Parses a graph. Embedded weights are skipped, external ones are not opened. What is returned ends, and has sizes that are
    /// numbers.</summary>
    /// <exception cref="ModelException">The file is missing, unreadable, too large or not an ONNX model.</exception>
    public static ModelProto Read(string path) => Parse(path, ModelProto.Parser.WithDiscardUnknownFields(true));

    /// <summary>Parses a graph with all that it holds, embedded weights too, so that it can be written again.</summary>
    /// <exception cref="ModelException">The file is missing, unreadable, too large or not an ONNX model.</exception>
    public static ModelProto ReadWhole(string path) => Parse(path, ModelProto.Parser);

    private static ModelProto Parse(string path, MessageParser<ModelProto> parser)
    {
        try
        {
            using FileStream stream = InputFile.Open(path, MaxBytes, "is not an ONNX model");
            ModelProto model = parser.ParseFrom(stream);

            // Protobuf accepts nearly any short byte sequence: a model also has nodes and outputs.
            return model.Graph is not { Node.Count: > 0, Output.Count: > 0 } ? throw NotOnnx(path)
                : GraphCheck.Problem(model.Graph) is { } problem
                    ? throw new ModelException($"{path} is not an ONNX model that can be used: {problem}. Export the model again.")
                : model;
        }
        catch (InvalidProtocolBufferException e)
        {
            throw NotOnnx(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The external data files that a graph names and the bytes that each must have at least.</summary>
    /// <exception cref="ModelException">A tensor's external data entry is malformed.</exception>
    public static IReadOnlyDictionary<string, long> ExternalFiles(string path, ModelProto model)
    {
        var files = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (ExternalRange range in model.Graph.Initializer.Select(tensor => Range(path, tensor)).OfType<ExternalRange>())
        {
            files[range.Location] = Math.Max(range.Offset + range.Length, files.GetValueOrDefault(range.Location));
        }

        return files;
    }

    /// <summary>Where a tensor's external data lies; null for one that is stored in the graph.</summary>
    /// <exception cref="ModelException">The tensor's external data entry is malformed.</exception>
    public static ExternalRange? Range(string path, TensorProto tensor)
    {
        if (tensor.DataLocation != TensorProto.Types.DataLocation.External)
        {
            return null;
        }

        string location =
            Entry(tensor, "location") is { Length: > 0 } name && !name.Contains('\0', StringComparison.Ordinal)
                ? name
                : throw Malformed(path, tensor, "location");
        long offset = Number(path, tensor, "offset") ?? 0;
        long length = Number(path, tensor, "length") ?? ByteSize(path, tensor);
        return offset + length >= offset ? new ExternalRange(location, offset, length) : throw Malformed(path, tensor, "length");
    }

    /// <summary>Bits of one element, or 0 for types without a fixed size.</summary>
    public static int BitSize(TensorProto.Types.DataType type) =>
        type switch
        {
            TensorProto.Types.DataType.Uint4 or TensorProto.Types.DataType.Int4 => 4,
            TensorProto.Types.DataType.Uint8
            or TensorProto.Types.DataType.Int8
            or TensorProto.Types.DataType.Bool
            or TensorProto.Types.DataType.Float8E4M3Fn
            or TensorProto.Types.DataType.Float8E4M3Fnuz
            or TensorProto.Types.DataType.Float8E5M2
            or TensorProto.Types.DataType.Float8E5M2Fnuz => 8,
            TensorProto.Types.DataType.Float16
            or TensorProto.Types.DataType.Bfloat16
            or TensorProto.Types.DataType.Uint16
            or TensorProto.Types.DataType.Int16 => 16,
            TensorProto.Types.DataType.Float or TensorProto.Types.DataType.Int32 or TensorProto.Types.DataType.Uint32 => 32,
            TensorProto.Types.DataType.Double
            or TensorProto.Types.DataType.Int64
            or TensorProto.Types.DataType.Uint64
            or TensorProto.Types.DataType.Complex64 => 64,
            TensorProto.Types.DataType.Complex128 => 128,
            _ => 0,
        };

    /// <summary>The name of an input of a node; empty where it is left out.</summary>
    public static string InputAt(this NodeProto node, int index) => index < node.Input.Count ? node.Input[index] : "";

    /// <summary>An integer attribute of a node, or null.</summary>
    public static long? Integer(this NodeProto node, string attribute) =>
        node.Attribute.FirstOrDefault(a => string.Equals(a.Name, attribute, StringComparison.Ordinal)) is { HasI: true } found
            ? found.I
            : null;

    private static long ByteSize(string path, TensorProto tensor)
    {
        int bits = BitSize(tensor.DataType);
        if (bits == 0)
        {
            throw Malformed(path, tensor, "length");
        }

        Int128 elements = 1;
        foreach (long dim in tensor.Dims)
        {
            elements = dim >= 0 && elements <= long.MaxValue ? elements * dim : throw Malformed(path, tensor, "dims");
        }

        Int128 bytes = ((elements * bits) + 7) / 8;
        return bytes <= long.MaxValue ? (long)bytes : throw Malformed(path, tensor, "dims");
    }

    private static long? Number(string path, TensorProto tensor, string key) =>
        Entry(tensor, key) switch
        {
            null => null,
            string text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) => value,
            _ => throw Malformed(path, tensor, key),
        };

    private static string? Entry(TensorProto tensor, string key) =>
        tensor.ExternalData.FirstOrDefault(e => string.Equals(e.Key, key, StringComparison.Ordinal))?.Value;

    private static ModelException Malformed(string path, TensorProto tensor, string what) =>
        new($"{path}: tensor '{Shown.Text(tensor.Name)}' has a malformed {what} in its external data. Export the model again.");

    private static ModelException NotOnnx(string path, Exception? inner = null) =>
        new($"{path} is not an ONNX model (or is damaged). Copy or build the folder again.", inner);
}

/// <summary>Where a tensor's bytes lie.</summary>
/// <param name="Location">File, relative to the graph's folder.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
internal sealed record ExternalRange(string Location, long Offset, long Length);
