using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Calibration;

/// <summary>
/// Finds how large keys and values of a model become, for a quantized KV cache: <c>ort</c> computes a fixed text on the CPU, and the
/// largest number of each channel decides its scale. A key is stored as it was rotated, and further on in a sequence its two halves are
/// rotated by other angles, so a key's channel counts with the length of its pair, which no rotation changes (RoFormer, Su et al. 2021).
/// </summary>
public static class CacheCalibration
{
    /// <summary>Tokens of the text that are computed at most.</summary>
    public const int MaxTokens = 512;

    /// <summary>Parts that it is computed in, at most.</summary>
    public const int MaxParts = MaxTokens / PartTokens;

    private const int PartTokens = 32;

    // Changed whenever the same text would give other scales.
    private const int Method = 1;

    // Smaller than any key of a model that computes; a channel that is always 0 stays 0.
    private const float Least = 1e-6f;

    private static readonly Lazy<string> s_text = new(ReadText);

    /// <summary>What decides the scales beside the model.</summary>
    public static string Identity => $"{Method}:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(s_text.Value)))[..12]}";

    /// <summary>The largest keys and values of each layer and channel.</summary>
    /// <param name="folder">A model with a KV cache of floating point numbers.</param>
    /// <param name="onPart">Told of each of the parts that the text is computed in.</param>
    /// <param name="cancellationToken">Ends it between two parts.</param>
    /// <exception cref="EngineException">It cannot be computed on the CPU, or gives NaN.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static CacheScales Of(ModelFolder folder, Action? onPart = null, CancellationToken cancellationToken = default)
    {
        int[] tokens =
        [
            .. PromptTokenizer
                .For(folder)
                .Tokenize(Prompt.OfText(s_text.Value), PromptForm.Plain)
                .TokenIds.Take(Math.Min(MaxTokens, folder.ContextLength - 1)),
        ];
        EngineOptions options = new() { Threads = PhysicalCores.Count };
        using GraphProbe probe = new(folder, options, tokens.Length, File.ReadAllBytes(folder.GraphPath), []);
        for (int past = 0; past < tokens.Length; past += PartTokens)
        {
            cancellationToken.ThrowIfCancellationRequested();
            probe.Compute(tokens.AsSpan(past, Math.Min(PartTokens, tokens.Length - past)), past);
            onPart?.Invoke();
        }

        List<float[]> keys = [];
        List<float[]> values = [];
        for (int layer = 0; layer < folder.LayerCount; layer++)
        {
            (float[][] key, float[][] value) = probe.Cache(layer, tokens.Length);
            keys.Add([.. key.SelectMany(rows => OfPairs(rows, folder.HeadSize))]);
            values.Add([.. value.SelectMany(rows => Largest(rows, folder.HeadSize))]);
        }

        return keys.Concat(values).All(channels => channels.All(float.IsFinite))
            ? new CacheScales(keys, values)
            : throw new EngineException($"{folder.Path} gives NaN or infinite keys or values: its KV cache cannot be quantized");
    }

    /// <summary>Of the rows of one head, the largest number of each channel.</summary>
    internal static float[] Largest(ReadOnlySpan<float> rows, int width)
    {
        float[] largest = new float[width];
        largest.AsSpan().Fill(Least);
        for (; rows.Length >= width; rows = rows[width..])
        {
            TensorPrimitives.MaxMagnitude(largest, rows[..width], largest);
        }

        TensorPrimitives.Abs<float>(largest, largest);
        return largest;
    }

    /// <summary>Of the rows of one head, the longest pair of each channel: those that are rotated together, half a head apart.</summary>
    internal static float[] OfPairs(ReadOnlySpan<float> rows, int width)
    {
        int half = width / 2;
        float[] largest = new float[width];
        largest.AsSpan().Fill(Least);
        Span<float> lengths = new float[half];
        for (; rows.Length >= width; rows = rows[width..])
        {
            TensorPrimitives.Hypot(rows[..half], rows[half..(2 * half)], lengths);
            TensorPrimitives.Max<float>(largest.AsSpan(0, half), lengths, largest.AsSpan(0, half));
        }

        largest.AsSpan(0, half).CopyTo(largest.AsSpan(half));
        return largest;
    }

    private static string ReadText()
    {
        using Stream resource =
            typeof(CacheCalibration).Assembly.GetManifestResourceStream("calibration.txt")
            ?? throw new InvalidOperationException("calibration.txt is not in this build.");
        using StreamReader reader = new(resource);

        // The same tokens wherever the file was checked out.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
