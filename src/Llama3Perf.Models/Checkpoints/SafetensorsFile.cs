using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;
using Llama3Perf.Models.Files;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Reads the header of a safetensors file: 8 bytes little-endian length, that many bytes of JSON, then the data.</summary>
internal static class SafetensorsFile
{
    // Hugging Face's own reader stops here too.
    private const long MaxHeaderBytes = 100_000_000;

    private const string DownloadAgain = "The file is damaged: download it again.";

    /// <summary>The tensors of a file, in the order of the header. Their data is known to lie inside the file and apart.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isWanted">False for names that are passed over, whatever stands under them.</param>
    /// <exception cref="ModelException">The file cannot be read, is damaged or holds types that are not read.</exception>
    public static IReadOnlyList<CheckpointTensor> Read(string path, Func<string, bool> isWanted)
    {
        try
        {
            // A pipe has no length and would be waited for.
            if (InputFile.Length(path) == 0)
            {
                throw new ModelException($"{Shown.Text(path)} is truncated: it has 0 bytes and no header. Download it again.");
            }

            using SafeFileHandle file = File.OpenHandle(path);
            long length = RandomAccess.GetLength(file);
            byte[] header = Header(path, file, length);
            using JsonDocument json = Parse(path, header);
            long dataStart = sizeof(ulong) + header.Length;
            CheckpointTensor[] tensors =
            [
                .. Entries(path, json.RootElement)
                    .Where(entry => entry.Name != "__metadata__" && isWanted(entry.Name))
                    .Select(entry => SafetensorsEntry.Read(path, entry.Name, entry.Value, dataStart, length)),
            ];
            CheckOverlap(path, tensors);
            return tensors;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{Shown.Text(path)} cannot be read: {Shown.Text(e.Message)}", e);
        }
    }

    private static byte[] Header(string path, SafeFileHandle file, long length)
    {
        Span<byte> start = stackalloc byte[sizeof(ulong)];
        if (length < start.Length)
        {
            throw new ModelException($"{Shown.Text(path)} is truncated: it has {length} bytes and no header. Download it again.");
        }

        ReadAll(file, start, 0);
        if (start.SequenceEqual("version "u8))
        {
            throw new ModelException($"{Shown.Text(path)} is a Git LFS pointer instead of the weights. Run 'git lfs pull' in its folder.");
        }

        ulong header = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (header > MaxHeaderBytes)
        {
            throw new ModelException(
                $"{Shown.Text(path)} is not a safetensors file: its header would have {header} bytes, more than {MaxHeaderBytes}. Download "
                    + "it again."
            );
        }

        if ((long)header > length - start.Length)
        {
            throw new ModelException(
                $"{Shown.Text(path)} is truncated: its header has {header} bytes, the file {length}. Download it again."
            );
        }

        byte[] bytes = new byte[header];
        ReadAll(file, bytes, start.Length);
        return bytes;
    }

    /// <summary>Fills memory from a place in a file.</summary>
    /// <exception cref="IOException">It cannot be read, or ends before.</exception>
    public static void ReadAll(SafeFileHandle file, Span<byte> destination, long offset)
    {
        while (destination.Length > 0)
        {
            int read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
            {
                throw new EndOfStreamException("the file became shorter while it was read");
            }

            destination = destination[read..];
            offset += read;
        }
    }

    private static JsonDocument Parse(string path, byte[] header)
    {
        // The parser leaves the inside of strings unchecked until they are read.
        if (!Utf8.IsValid(header))
        {
            throw new ModelException($"{Shown.Text(path)}: its header is not JSON (not UTF-8). {DownloadAgain}");
        }

        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(header);
        }
        catch (JsonException e)
        {
            throw new ModelException($"{Shown.Text(path)}: its header is not JSON ({Shown.Text(e.Message)}). {DownloadAgain}", e);
        }

        if (json.RootElement.ValueKind == JsonValueKind.Object)
        {
            return json;
        }

        json.Dispose();
        throw new ModelException($"{Shown.Text(path)}: its header is not a JSON object. {DownloadAgain}");
    }

    private static IEnumerable<(string Name, JsonElement Value)> Entries(string path, JsonElement root)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            string name =
                JsonNames.Of(property)
                ?? throw new ModelException($"{Shown.Text(path)}: a tensor's name is not valid Unicode. {DownloadAgain}");
            yield return names.Add(name)
                ? (name, property.Value)
                : throw new ModelException($"{Shown.Text(path)}: the header names tensor '{Shown.Text(name)}' twice. {DownloadAgain}");
        }
    }

    private static void CheckOverlap(string path, CheckpointTensor[] tensors)
    {
        CheckpointTensor? last = null;
        foreach (CheckpointTensor tensor in tensors.Where(tensor => tensor.Length > 0).OrderBy(tensor => tensor.Offset))
        {
            if (last is not null && tensor.Offset < last.Offset + last.Length)
            {
                throw new ModelException(
                    $"{Shown.Text(path)}: tensors '{Shown.Text(last.Name)}' and '{Shown.Text(tensor.Name)}' overlap. {DownloadAgain}"
                );
            }

            last = tensor;
        }
    }
}
