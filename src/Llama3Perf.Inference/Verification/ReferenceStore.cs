using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Llama3Perf.Inference.Verification;

/// <summary>
/// Keeps an engine's answers from run to run, a file for each model and way of computing: what the CPU answers does not change while
/// neither the model nor the library does. A file that cannot be read, or is not whole, is as good as none.
/// </summary>
/// <param name="root">Folder of the files; made when the first is kept.</param>
public sealed class ReferenceStore(string root)
{
    // A file is: length of the header, header, rows of float32 one behind another.
    private const int Version = 1;

    /// <summary>The answers of that key, or null.</summary>
    /// <param name="key">A name of letters, digits, dots and dashes.</param>
    public Reference? Find(string key)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(PathOf(key));
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
            Header? header = JsonSerializer.Deserialize<Header>(bytes.AsSpan(sizeof(int), length));
            ReadOnlySpan<float> rows = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(sizeof(int) + length));
            if (
                header is not { Version: Version, Vocabulary: > 0 }
                || rows.Length != header.Cases.Sum(known => known.Rows) * header.Vocabulary
            )
            {
                return null;
            }

            List<ReferenceCase> cases = [];
            foreach (KnownCase known in header.Cases)
            {
                float[][] own = new float[known.Rows][];
                for (int i = 0; i < own.Length; i++)
                {
                    own[i] = rows[..header.Vocabulary].ToArray();
                    rows = rows[header.Vocabulary..];
                }

                cases.Add(new ReferenceCase(known.Prompt, known.InputIds, own[0], known.GreedyTokens, own));
            }

            return new Reference(header.Source, cases);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or JsonException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>Keeps answers that have the logits of every step. Where they cannot be written the next run computes them again.</summary>
    public void Keep(string key, Reference reference)
    {
        string path = PathOf(key);
        string partial = $"{path}.{Environment.ProcessId}.partial";
        Header header = new(
            Version,
            reference.Source,
            reference.Cases[0].LastLogits.Length,
            [.. reference.Cases.Select(known => new KnownCase(known.Prompt, known.InputIds, known.GreedyTokens, known.StepLogits!.Count))]
        );
        try
        {
            Directory.CreateDirectory(root);
            using (FileStream file = File.Create(partial))
            {
                byte[] text = JsonSerializer.SerializeToUtf8Bytes(header);
                Span<byte> length = stackalloc byte[sizeof(int)];
                BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
                file.Write(length);
                file.Write(text);
                foreach (float[] row in reference.Cases.SelectMany(known => known.StepLogits!))
                {
                    file.Write(MemoryMarshal.AsBytes<float>(row));
                }
            }

            File.Move(partial, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(partial))
            {
                File.Delete(partial);
            }
        }
    }

    private string PathOf(string key) => Path.Combine(root, $"{key}.logits");

    private sealed record Header(int Version, string Source, int Vocabulary, IReadOnlyList<KnownCase> Cases);

    private sealed record KnownCase(string Prompt, int[] InputIds, int[] GreedyTokens, int Rows);
}
