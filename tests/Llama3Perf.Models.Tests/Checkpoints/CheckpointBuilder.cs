using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Tests.Checkpoints;

/// <summary>A small checkpoint folder that a test spoils in one place.</summary>
internal sealed class CheckpointBuilder : IDisposable
{
    public static LlamaShape Small { get; } =
        LlamaShape.Load("llama-tiny") with
        {
            Name = "small",
            VocabularySize = 512,
            HiddenSize = 32,
            IntermediateSize = 48,
            HeadCount = 2,
            KeyValueHeadCount = 1,
            HeadSize = 16,
        };

    private readonly TemporaryFolder _root = new();

    public CheckpointBuilder(LlamaShape? shape = null, CheckpointType type = CheckpointType.BFloat16, long shardBytes = long.MaxValue)
    {
        Folder = _root["checkpoint"];
        SyntheticCheckpoint.Write(
            shape ?? Small,
            Folder,
            type,
            shardBytes,
            seed: 1,
            threads: 2,
            cancellationToken: TestContext.Current.CancellationToken
        );
    }

    public string Folder { get; }

    /// <summary>A path beside the folder.</summary>
    public string Beside(string name) => _root[name];

    public string this[string name] => Path.Combine(Folder, name);

    public void Dispose() => _root.Dispose();

    /// <summary>Changes the JSON of a file of the folder.</summary>
    public void Json(string file, Action<JsonObject> change)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(this[file]))!.AsObject();
        change(json);
        File.WriteAllText(this[file], json.ToJsonString());
    }

    /// <summary>Sets the first element of a bfloat16 tensor.</summary>
    public void SetWeight(string tensor, float value)
    {
        CheckpointTensor place = Checkpoint.Open(Folder).Tensors[tensor];
        byte[] bytes = new byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
        using FileStream file = File.OpenWrite(place.File);
        file.Position = place.Offset;
        file.Write(bytes);
    }

    /// <summary>Changes the header of a safetensors file; the data stays.</summary>
    public void Header(string file, Action<JsonObject> change)
    {
        (JsonObject header, byte[] data) = Split(this[file]);
        change(header);
        Write(this[file], header.ToJsonString(), data);
    }

    /// <summary>Replaces text in the header of a safetensors file; the data stays.</summary>
    public void HeaderText(string file, Func<string, string> change)
    {
        (JsonObject header, byte[] data) = Split(this[file]);
        Write(this[file], change(header.ToJsonString()), data);
    }

    public static (JsonObject Header, byte[] Data) Split(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return (JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject(), bytes[(8 + length)..]);
    }

    public static void Write(string path, string header, ReadOnlySpan<byte> data) => File.WriteAllBytes(path, Bytes(header, data));

    public static byte[] Bytes(string header, ReadOnlySpan<byte> data)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        return [.. length, .. text, .. data];
    }

    /// <summary>The folder is refused in one line with these parts.</summary>
    public void Refused(params string[] parts)
    {
        string message = Assert.Throws<ModelException>(() => Checkpoint.Open(Folder)).Message;
        Assert.All(parts, part => Assert.Contains(part, message));
        Assert.DoesNotContain('\n', message);
        Assert.EndsWith(".", message);
    }
}
