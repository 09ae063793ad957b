namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>Changes keys and values as a cache does that does not keep them whole.</summary>
internal delegate void PlainStore(int layer, Span<float> keys, Span<float> values);

/// <summary>Llama's forward pass as the papers write it: no cache, no fusion, one number after the other.</summary>
/// <param name="weights">What it computes with.</param>
/// <param name="store">What a KV cache makes of the keys and values [KV heads x head size] of a layer's token; null keeps them as they
/// are.</param>
internal sealed class PlainLlama(IPlainWeights weights, PlainStore? store = null)
{
    private readonly Dictionary<string, float[]> _matrices = [];

    /// <summary>Logits [vocabulary] after the last of the tokens.</summary>
    public float[] Logits(IReadOnlyList<int> tokens)
    {
        int hidden = weights.HiddenSize;
        float[][] x = [.. tokens.Select(token => weights.Embedding[(token * hidden)..((token + 1) * hidden)])];
        for (int layer = 0; layer < weights.LayerCount; layer++)
        {
            string path = $"layers.{layer}/";
            int at = layer;
            float[][] normed = [.. x.Select(row => Norm(row, weights.Norms[2 * at]))];
            float[][] attended = Attend(layer, path, normed);
            x = [.. x.Zip(attended, Add)];
            x = [.. x.Select(row => Add(row, FeedForward(path, Norm(row, weights.Norms[(2 * at) + 1]))))];
        }

        return Multiply("lm_head", Norm(x[^1], weights.Norms[^1]));
    }

    private float[][] Attend(int layer, string path, float[][] inputs)
    {
        int size = weights.HeadSize;
        int group = weights.HeadCount / weights.KeyValueHeadCount;
        int queries = weights.HeadCount * size;
        int keys = weights.KeyValueHeadCount * size;
        float[][] qkv = [.. inputs.Select(row => Multiply(path, row, weights.QueryKeyValue))];
        for (int position = 0; position < qkv.Length; position++)
        {
            for (int head = 0; head < weights.HeadCount + weights.KeyValueHeadCount; head++)
            {
                Rotate(qkv[position].AsSpan(head * size, size), position);
            }
        }

        foreach (float[] row in qkv)
        {
            store?.Invoke(layer, row.AsSpan(queries, keys), row.AsSpan(queries + keys, keys));
        }

        float[][] outputs = [.. inputs.Select(_ => new float[queries])];
        for (int position = 0; position < qkv.Length; position++)
        {
            for (int head = 0; head < weights.HeadCount; head++)
            {
                int key = queries + (head / group * size);
                double[] scores =
                [
                    .. Enumerable
                        .Range(0, position + 1)
                        .Select(other => Dot(qkv[position].AsSpan(head * size, size), qkv[other].AsSpan(key, size)) / Math.Sqrt(size)),
                ];
                double highest = scores.Max();
                double sum = scores.Sum(score => Math.Exp(score - highest));
                for (int other = 0; other <= position; other++)
                {
                    double share = Math.Exp(scores[other] - highest) / sum;
                    for (int i = 0; i < size; i++)
                    {
                        outputs[position][(head * size) + i] += (float)(share * qkv[other][key + keys + i]);
                    }
                }
            }
        }

        return [.. outputs.Select(row => Multiply(path + "attn/o_proj", row))];
    }

    private float[] FeedForward(string path, float[] input)
    {
        float[] gate = Multiply(path + "mlp/gate_proj", input);
        float[] up = Multiply(path + "mlp/up_proj", input);
        return Multiply(path + "mlp/down_proj", [.. gate.Zip(up, (g, u) => (float)(g / (1 + Math.Exp(-g)) * u))]);
    }

    // Half-split form: element i turns with element i + size / 2.
    private void Rotate(Span<float> head, int position)
    {
        int half = head.Length / 2;
        for (int i = 0; i < half; i++)
        {
            (double sin, double cos) = Math.SinCos(position * weights.Frequencies[i]);
            (head[i], head[i + half]) = (
                (float)((head[i] * cos) - (head[i + half] * sin)),
                (float)((head[i + half] * cos) + (head[i] * sin))
            );
        }
    }

    private float[] Norm(float[] row, float[] weight)
    {
        double scale = 1 / Math.Sqrt((row.Sum(value => (double)value * value) / row.Length) + weights.Epsilon);
        return [.. row.Zip(weight, (value, factor) => (float)(value * scale * factor))];
    }

    private float[] Multiply(string name, float[] input) => Multiply(name, input, weights.Matrix);

    private float[] Multiply(string name, float[] input, Func<string, float[]> read)
    {
        if (!_matrices.TryGetValue(name, out float[]? matrix))
        {
            _matrices.Add(name, matrix = read(name));
        }

        float[]? bias = weights.Bias(name);
        float[] output = new float[matrix.Length / input.Length];
        for (int row = 0; row < output.Length; row++)
        {
            output[row] = (float)(Dot(matrix.AsSpan(row * input.Length, input.Length), input) + (bias is null ? 0 : bias[row]));
        }

        return output;
    }

    private static float[] Add(float[] a, float[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }
}
