using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>A tensor that will be written with random values.</summary>
internal sealed record PlannedTensor(string Name, CheckpointType Type, long[] Shape, WeightPattern Pattern)
{
    public long Length { get; } = Shape.Aggregate((long)SafetensorsEntry.Size(Type), (product, dim) => checked(product * dim));
}

/// <summary>One safetensors file that will be written.</summary>
/// <param name="FileName">Without folder.</param>
/// <param name="Header">Length, JSON and padding.</param>
/// <param name="Tensors">The data, at offsets from the beginning of the file.</param>
/// <param name="Patterns">What each tensor is filled with.</param>
/// <param name="Length">Bytes of the file.</param>
internal sealed record PlannedShard(
    string FileName,
    byte[] Header,
    IReadOnlyList<ExternalTensor> Tensors,
    IReadOnlyList<WeightPattern> Patterns,
    long Length
)
{
    /// <summary>The work that fills the tensors.</summary>
    public IEnumerable<Piece> Pieces(ulong seed) => Tensors.Zip(Patterns).SelectMany(pair => Chunks.Random(pair.First, pair.Second, seed));
}

/// <summary>Cuts tensors into safetensors files as Hugging Face's tools do: in order, a new file when the next tensor would make one too
/// large.</summary>
internal static class SafetensorsPlan
{
    private const int Alignment = 8;

    public static IReadOnlyList<PlannedShard> Create(IEnumerable<PlannedTensor> tensors, long shardBytes)
    {
        List<List<PlannedTensor>> groups = [];
        long size = 0;
        foreach (PlannedTensor tensor in tensors)
        {
            if (groups.Count == 0 || size + tensor.Length > shardBytes)
            {
                groups.Add([]);
                size = 0;
            }

            groups[^1].Add(tensor);
            size += tensor.Length;
        }

        return [.. groups.Select((group, i) => Shard(FileName(i, groups.Count), group))];
    }

    /// <summary>The text of model.safetensors.index.json.</summary>
    public static string Index(IReadOnlyList<PlannedShard> shards)
    {
        var map = new JsonObject();
        foreach (
            (string tensor, string file) in shards
                .SelectMany(shard => shard.Tensors.Select(tensor => (tensor.Name, shard.FileName)))
                .OrderBy(pair => pair.Name, StringComparer.Ordinal)
        )
        {
            map[tensor] = file;
        }

        long total = shards.Sum(shard => shard.Tensors.Sum(tensor => tensor.Length));
        return FolderJson.Text(
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["total_size"] = total },
                ["weight_map"] = map,
            }
        );
    }

    private static string FileName(int index, int count) =>
        count == 1
            ? WeightMap.SingleFile
            : string.Create(CultureInfo.InvariantCulture, $"model-{index + 1:00000}-of-{count:00000}.safetensors");

    private static PlannedShard Shard(string fileName, List<PlannedTensor> tensors)
    {
        byte[] header = Header(tensors);
        List<ExternalTensor> placed = [];
        long offset = header.Length;
        foreach (PlannedTensor tensor in tensors)
        {
            placed.Add(new ExternalTensor(tensor.Name, SafetensorsEntry.OnnxType(tensor.Type), tensor.Shape, offset, tensor.Length));
            offset += tensor.Length;
        }

        return new PlannedShard(fileName, header, placed, [.. tensors.Select(tensor => tensor.Pattern)], offset);
    }

    private static byte[] Header(List<PlannedTensor> tensors)
    {
        var json = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        long offset = 0;
        foreach (PlannedTensor tensor in tensors)
        {
            json[tensor.Name] = new JsonObject
            {
                ["dtype"] = SafetensorsEntry.TypeName(tensor.Type),
                ["shape"] = new JsonArray([.. tensor.Shape.Select(dim => (JsonNode)dim)]),
                ["data_offsets"] = new JsonArray(offset, offset + tensor.Length),
            };
            offset += tensor.Length;
        }

        byte[] text = JsonSerializer.SerializeToUtf8Bytes(json);
        int padded = (text.Length + Alignment - 1) / Alignment * Alignment;
        byte[] header = new byte[sizeof(ulong) + padded];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)padded);
        header.AsSpan(sizeof(ulong)).Fill((byte)' ');
        text.CopyTo(header, sizeof(ulong));
        return header;
    }
}
