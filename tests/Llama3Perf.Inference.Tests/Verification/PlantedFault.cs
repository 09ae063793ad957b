using System.Runtime.InteropServices;
using Llama3Perf.Models;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Inference.Tests.Verification;

/// <summary>Harms that a conversion, a kernel or a damaged file do to a model folder: each changes as little as it can.</summary>
internal static class PlantedFault
{
    /// <summary>The harms by name.</summary>
    public static IReadOnlyDictionary<string, Action<ModelFolder>> All { get; } =
        new Dictionary<string, Action<ModelFolder>>
        {
            ["one scale doubled"] = folder =>
                Change(folder, "model.layers.1.attn.o_proj.MatMul.weight_scales", bytes => Floats(bytes)[0] *= 2),
            ["one scale doubled in the MLP"] = folder =>
                Change(folder, "model.layers.1.mlp.down_proj.MatMul.weight_scales", bytes => Floats(bytes)[0] *= 2),
            ["one row of blocks zeroed"] = folder =>
                Change(folder, "model.layers.1.mlp.down_proj.MatMul.weight_Q4", (tensor, bytes) => Row(tensor, bytes, 0).Fill(0x88)),
            ["two heads swapped"] = SwapHeads,
            ["one RoPE frequency wrong"] = folder =>
            {
                // The second frequency turns twice as fast: each position has the angle of one twice as far.
                foreach (string cache in (string[])["cos_cache", "sin_cache"])
                {
                    Change(folder, cache, (tensor, bytes) => Twice(Floats(bytes), (int)tensor.Dims[1]));
                }
            },
        };

    private static void SwapHeads(ModelFolder folder)
    {
        foreach (string part in (string[])["weight_Q4", "weight_scales"])
        {
            Change(
                folder,
                $"model.layers.1.attn.qkv_proj.MatMul.{part}",
                (tensor, bytes) =>
                {
                    for (int row = 0; row < folder.HeadSize; row++)
                    {
                        Span<byte> first = Row(tensor, bytes, row);
                        Span<byte> second = Row(tensor, bytes, folder.HeadSize + row);
                        byte[] kept = first.ToArray();
                        second.CopyTo(first);
                        kept.CopyTo(second);
                    }
                }
            );
        }
    }

    private static void Twice(Span<float> cache, int width)
    {
        for (int position = (cache.Length / width / 2) - 1; position >= 0; position--)
        {
            cache[(position * width) + 1] = cache[(2 * position * width) + 1];
        }
    }

    private static Span<float> Floats(Span<byte> bytes) => MemoryMarshal.Cast<byte, float>(bytes);

    private static Span<byte> Row(TensorProto tensor, Span<byte> bytes, int row)
    {
        int length = bytes.Length / (int)tensor.Dims[0];
        return bytes.Slice(row * length, length);
    }

    /// <summary>Changes the bytes of a tensor in a folder's data file.</summary>
    public static void Change(ModelFolder folder, string name, ByteChange change) => Change(folder, name, (_, bytes) => change(bytes));

    private static void Change(ModelFolder folder, string name, TensorChange change)
    {
        TensorProto tensor = OnnxFile.Read(folder.GraphPath).Graph.Initializer.Single(tensor => tensor.Name == name);
        ExternalRange range = OnnxFile.Range(folder.GraphPath, tensor)!;
        using FileStream file = File.Open(Path.Combine(folder.Path, range.Location), FileMode.Open, FileAccess.ReadWrite);
        byte[] bytes = new byte[range.Length];
        file.Position = range.Offset;
        file.ReadExactly(bytes);
        change(tensor, bytes);
        file.Position = range.Offset;
        file.Write(bytes);
    }

    internal delegate void ByteChange(Span<byte> bytes);

    private delegate void TensorChange(TensorProto tensor, Span<byte> bytes);
}
