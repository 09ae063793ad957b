using System.Text;

namespace Llama3Perf.Models.Gguf;

/// <summary>Writes GGUF's header, version 3: keys and values in the order in which they are added, then the tensors.</summary>
internal sealed class GgufHeader : IDisposable
{
    private const uint Version = 3;

    private readonly MemoryStream _values = new();
    private readonly BinaryWriter _writer;
    private ulong _count;

    public GgufHeader() => _writer = new BinaryWriter(_values, Encoding.UTF8);

    /// <summary>Where tensors begin: a multiple of so many bytes.</summary>
    public const int Alignment = 32;

    public void Add(string key, string value)
    {
        Begin(key, 8);
        Text(_writer, value);
    }

    public void Add(string key, uint value)
    {
        Begin(key, 4);
        _writer.Write(value);
    }

    public void Add(string key, float value)
    {
        Begin(key, 6);
        _writer.Write(value);
    }

    public void Add(string key, bool value)
    {
        Begin(key, 7);
        _writer.Write((byte)(value ? 1 : 0));
    }

    public void Add(string key, IReadOnlyCollection<string> values)
    {
        BeginArray(key, 8, values.Count);
        foreach (string value in values)
        {
            Text(_writer, value);
        }
    }

    public void Add(string key, IReadOnlyCollection<int> values)
    {
        BeginArray(key, 5, values.Count);
        foreach (int value in values)
        {
            _writer.Write(value);
        }
    }

    /// <summary>The header's bytes, padded to where the first tensor begins.</summary>
    /// <param name="tensors">Their offsets count from there.</param>
    public byte[] ToArray(IReadOnlyCollection<GgufTensor> tensors)
    {
        using MemoryStream header = new();
        using BinaryWriter writer = new(header, Encoding.UTF8);
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write(_count);
        _writer.Flush();
        _values.WriteTo(header);
        foreach (GgufTensor tensor in tensors)
        {
            Text(writer, tensor.Name);
            writer.Write((uint)tensor.Dims.Count);
            foreach (long dim in tensor.Dims)
            {
                writer.Write(dim);
            }

            writer.Write(tensor.Type.Id);
            writer.Write(tensor.Offset);
        }

        while (header.Position % Alignment != 0)
        {
            writer.Write((byte)0);
        }

        return header.ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private void Begin(string key, uint type)
    {
        Text(_writer, key);
        _writer.Write(type);
        _count++;
    }

    private void BeginArray(string key, uint type, int count)
    {
        Begin(key, 9);
        _writer.Write(type);
        _writer.Write((ulong)count);
    }

    private static void Text(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}
