using System.Text.Json;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Reads one tensor of a safetensors header: <c>{"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}</c>.</summary>
internal static class SafetensorsEntry
{
    /// <param name="path">The file, for messages.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="entry">What stands under it.</param>
    /// <param name="dataStart">Where the data begins, which offsets are counted from.</param>
    /// <param name="fileLength">Bytes of the file.</param>
    /// <exception cref="ModelException">The entry is malformed, of a type that is not read, or not inside the file.</exception>
    public static CheckpointTensor Read(string path, string name, JsonElement entry, long dataStart, long fileLength)
    {
        CheckpointType type = Type(path, name, entry);
        long[] shape = Numbers(entry, "shape") ?? throw Damaged(path, name, "has no shape of whole numbers");
        if (Numbers(entry, "data_offsets") is not [long begin, long end] || begin > end)
        {
            throw Damaged(path, name, "has no data_offsets [begin, end]");
        }

        if (end > fileLength - dataStart)
        {
            throw new ModelException(
                $"{Shown.Text(path)} is truncated: tensor '{Shown.Text(name)}' ends at byte {(Int128)dataStart + end}, the file has "
                    + $"{fileLength}. Download it again."
            );
        }

        string dims = string.Join(", ", shape);
        long bytes = Bytes(type, shape) ?? throw Damaged(path, name, $"has the impossible shape [{Shown.Text(dims)}]");
        return bytes == end - begin
            ? new CheckpointTensor(name, type, shape, path, dataStart + begin, bytes)
            : throw Damaged(path, name, $"has {end - begin} bytes, its shape [{Shown.Text(dims)}] needs {bytes}");
    }

    /// <summary>Bytes of one element.</summary>
    public static int Size(CheckpointType type) => type == CheckpointType.Float32 ? sizeof(float) : sizeof(ushort);

    /// <summary>The type's name in headers.</summary>
    public static string TypeName(CheckpointType type) =>
        type switch
        {
            CheckpointType.BFloat16 => "BF16",
            CheckpointType.Float16 => "F16",
            _ => "F32",
        };

    /// <summary>The type in an ONNX file.</summary>
    public static TensorProto.Types.DataType OnnxType(CheckpointType type) =>
        type switch
        {
            CheckpointType.BFloat16 => TensorProto.Types.DataType.Bfloat16,
            CheckpointType.Float16 => TensorProto.Types.DataType.Float16,
            _ => TensorProto.Types.DataType.Float,
        };

    private static CheckpointType Type(string path, string name, JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object || JsonNames.Find(entry, "dtype") is not { ValueKind: JsonValueKind.String } dtype)
        {
            throw Damaged(path, name, "has no dtype");
        }

        // Compared as raw text: names of types have no escapes, and an escape may be no valid Unicode.
        string found = dtype.GetRawText().Trim('"');
        foreach (CheckpointType type in Enum.GetValues<CheckpointType>())
        {
            if (found == TypeName(type))
            {
                return type;
            }
        }

        throw new ModelException(
            $"{Shown.Text(path)}: tensor '{Shown.Text(name)}' has the type {Shown.Text(found)}; BF16, F16 and F32 are read. Use an "
                + "unquantized checkpoint."
        );
    }

    private static long[]? Numbers(JsonElement entry, string key)
    {
        if (JsonNames.Find(entry, key) is not { ValueKind: JsonValueKind.Array } list)
        {
            return null;
        }

        long[] numbers = new long[list.GetArrayLength()];
        int i = 0;
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out long value) || value < 0)
            {
                return null;
            }

            numbers[i++] = value;
        }

        return numbers;
    }

    private static long? Bytes(CheckpointType type, long[] shape)
    {
        try
        {
            return shape.Aggregate((long)Size(type), (product, dim) => checked(product * dim));
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private static ModelException Damaged(string path, string name, string what) =>
        new($"{Shown.Text(path)}: tensor '{Shown.Text(name)}' {what}. The file is damaged: download it again.");
}
