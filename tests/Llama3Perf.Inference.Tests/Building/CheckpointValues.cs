using System.Buffers.Binary;
using System.Text.Json;
using Llama3Perf.Inference.Tests.Engines.Ort;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Inference.Tests.Building;

/// <summary>A checkpoint's weights read straight from its safetensors files, without any of the product's conversion.</summary>
internal sealed class CheckpointValues(string folder) : IPlainWeights
{
    private readonly LlamaShape _shape = LlamaShape.Load(folder);
    private readonly Dictionary<string, float[]> _tensors = Read(folder);

    public int HiddenSize => _shape.HiddenSize;

    public int LayerCount => _shape.LayerCount;

    public int HeadCount => _shape.HeadCount;

    public int KeyValueHeadCount => _shape.KeyValueHeadCount;

    public int HeadSize => _shape.HeadSize;

    public float Epsilon => _shape.RmsNormEpsilon;

    public double[] Frequencies =>
        RotaryFrequencies.Of(JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json"))).RootElement, HeadSize);

    public float[] Embedding => _tensors["model.embed_tokens.weight"];

    public IReadOnlyList<float[]> Norms =>
        [
            .. Enumerable
                .Range(0, LayerCount)
                .SelectMany(layer =>
                    (float[][])
                        [
                            _tensors[$"model.layers.{layer}.input_layernorm.weight"],
                            _tensors[$"model.layers.{layer}.post_attention_layernorm.weight"],
                        ]
                ),
            _tensors["model.norm.weight"],
        ];

    public float[] QueryKeyValue(string path) => Attention(path, "weight")!;

    public float[] Matrix(string path) =>
        path == "lm_head" ? _tensors.GetValueOrDefault("lm_head.weight") ?? Embedding : _tensors[$"{Name(path)}.weight"];

    public float[]? Bias(string path) => path.EndsWith('/') ? Attention(path, "bias") : _tensors.GetValueOrDefault($"{Name(path)}.bias");

    private float[]? Attention(string path, string kind) =>
        _tensors.ContainsKey($"{Name(path)}self_attn.q_proj.{kind}")
            ? [.. ((string[])["q_proj", "k_proj", "v_proj"]).SelectMany(part => _tensors[$"{Name(path)}self_attn.{part}.{kind}"])]
            : null;

    private static string Name(string path) => "model." + path.Replace("/attn/", "/self_attn/").Replace('/', '.');

    private static Dictionary<string, float[]> Read(string folder)
    {
        Dictionary<string, float[]> tensors = [];
        foreach (string file in Directory.EnumerateFiles(folder, "*.safetensors"))
        {
            byte[] bytes = File.ReadAllBytes(file);
            int header = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            foreach (JsonProperty entry in JsonDocument.Parse(bytes.AsMemory(8, header)).RootElement.EnumerateObject())
            {
                if (entry.Name != "__metadata__")
                {
                    int[] range = [.. entry.Value.GetProperty("data_offsets").EnumerateArray().Select(end => end.GetInt32())];
                    tensors.Add(
                        entry.Name,
                        Floats(bytes.AsSpan(8 + header + range[0], range[1] - range[0]), entry.Value.GetProperty("dtype").GetString()!)
                    );
                }
            }
        }

        return tensors;
    }

    private static float[] Floats(ReadOnlySpan<byte> bytes, string type)
    {
        float[] values = new float[bytes.Length / (type == "F32" ? 4 : 2)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = type switch
            {
                "F32" => BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]),
                "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]),
                _ => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16),
            };
        }

        return values;
    }
}
