using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Models.Tests.Checkpoints;

/// <summary>A checkpoint that is not usable is one line that names file and tensor.</summary>
public sealed class BadCheckpointTests : IDisposable
{
    private const string Weights = "model.safetensors";
    private const string Norm = "model.norm.weight";

    private readonly CheckpointBuilder _one = new();

    public void Dispose() => _one.Dispose();

    [Fact]
    public void Folders_that_are_none()
    {
        Assert.Contains("does not exist", Message(_one["nowhere"]));
        Assert.Contains("is a file", Message(_one["config.json"]));
        File.Delete(_one["config.json"]);
        _one.Refused("has no config.json");
    }

    [Fact]
    public void No_weights()
    {
        File.Delete(_one[Weights]);
        _one.Refused("has no *.safetensors");
    }

    [Fact]
    public void PyTorch_files()
    {
        File.Move(_one[Weights], _one["pytorch_model.bin"]);
        _one.Refused("pytorch_model.bin is a PyTorch file", "Convert the checkpoint to safetensors");
    }

    [Theory]
    [InlineData(1L << 60, "header would have 1152921504606846976 bytes")]
    [InlineData(-1, "header would have 18446744073709551615 bytes")]
    [InlineData(100_000_001, "header would have 100000001 bytes")]
    [InlineData(99_000_000, "is truncated: its header has 99000000 bytes")]
    [InlineData(0, "header is not JSON")]
    public void Header_lengths(long length, string message)
    {
        using (FileStream file = File.OpenWrite(_one[Weights]))
        {
            byte[] bytes = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
            file.Write(bytes);
        }

        _one.Refused(Weights, message, "ownload");
    }

    [Theory]
    [InlineData(0, "is truncated: it has 0 bytes")]
    [InlineData(7, "is truncated: it has 7 bytes")]
    [InlineData(100, "is truncated: its header has")]
    public void Truncated_files(long length, string message)
    {
        Truncate(Weights, length);
        _one.Refused(Weights, message);
    }

    [Fact]
    public void Truncated_data_names_the_tensor()
    {
        long length = new FileInfo(_one[Weights]).Length;
        Truncate(Weights, length - 1);
        _one.Refused($"{Weights} is truncated: tensor '{Norm}' ends at byte {length}, the file has {length - 1}");
    }

    [Theory]
    [InlineData("{", "its header is not JSON")]
    [InlineData("[1]", "its header is not a JSON object")]
    [InlineData("""{"a": 3}""", "tensor 'a' has no dtype")]
    [InlineData("""{"a": {"dtype": "F32"}}""", "tensor 'a' has no shape")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [0]}}""", "tensor 'a' has no data_offsets")]
    [InlineData("""{"\ud800": {}}""", "")]
    [InlineData("""{"a\nb": {}}""", "tensor 'a?b' has no dtype")]
    public void Headers(string header, string message)
    {
        CheckpointBuilder.Write(_one[Weights], header, new byte[64]);
        _one.Refused(Weights, message, "download it again");
    }

    [Theory]
    [InlineData(Weights)]
    [InlineData("config.json")]
    public void Text_that_is_not_UTF_8(string file)
    {
        byte[] bytes = File.ReadAllBytes(_one[file]);
        bytes[Array.IndexOf(bytes, (byte)'"', 8) + 1] = 0xFF;
        File.WriteAllBytes(_one[file], bytes);
        _one.Refused(file, "not JSON", "not UTF-8");
    }

    [Fact]
    public void Duplicate_names_in_a_header()
    {
        _one.HeaderText(Weights, text => $"{text[..^1]}, \"{Norm}\": {{}}}}");
        _one.Refused(Weights, $"names tensor '{Norm}' twice", "download it again");
    }

    [Theory]
    [InlineData("[-2, 62]", "has no data_offsets")]
    [InlineData("[64, 0]", "has no data_offsets")]
    [InlineData("[0]", "has no data_offsets")]
    [InlineData("[0.5, 64]", "has no data_offsets")]
    [InlineData("[0, 9223372036854775808]", "has no data_offsets")]
    [InlineData("[0, 9223372036854775807]", "is truncated: tensor 'model.norm.weight' ends at byte 9223372036854")]
    [InlineData("[0, 62]", "has 62 bytes, its shape [32] needs 64")]
    [InlineData("[32, 96]", "tensors 'model.embed_tokens.weight' and 'model.norm.weight' overlap")]
    public void Offsets(string offsets, string message)
    {
        _one.Header(Weights, header => header[Norm]!["data_offsets"] = JsonNode.Parse(offsets));
        _one.Refused(Weights, Norm, message, "ownload it again");
    }

    [Theory]
    [InlineData("[4294967296, 4294967296]", "has the impossible shape [4294967296, 4294967296]")]
    [InlineData("[9223372036854775807]", "has the impossible shape")]
    [InlineData("[-32]", "has no shape of whole numbers")]
    [InlineData("[33]", "has 64 bytes, its shape [33] needs 66")]
    [InlineData("[]", "has 64 bytes, its shape [] needs 2")]
    [InlineData("[4, 8]", "has the shape [4, 8], config.json asks for [32]")]
    public void Shapes(string shape, string message)
    {
        _one.Header(Weights, header => header[Norm]!["shape"] = JsonNode.Parse(shape));
        _one.Refused(Weights, Norm, message);
    }

    [Theory]
    [InlineData("F8_E4M3")]
    [InlineData("F8_E5M2")]
    [InlineData("I8")]
    [InlineData("U8")]
    [InlineData("I32")]
    [InlineData("F64")]
    [InlineData("bf16")]
    public void Types_that_are_not_read(string type)
    {
        _one.Header(Weights, header => header[Norm]!["dtype"] = type);
        _one.Refused($"tensor '{Norm}' has the type {type}; BF16, F16 and F32 are read", "Use an unquantized checkpoint");
    }

    [Fact]
    public void Missing_tensors_are_counted_and_the_first_are_named()
    {
        _one.Header(
            Weights,
            header =>
            {
                foreach (string name in (string[])["q", "k", "v", "o"])
                {
                    header.Remove($"model.layers.1.self_attn.{name}_proj.weight");
                }
            }
        );
        _one.Refused("lacks 4 tensors", "'model.layers.1.self_attn.q_proj.weight'", "and 1 more");
    }

    [Fact]
    public void A_head_of_its_own_is_asked_for_when_it_is_not_tied()
    {
        _one.Json("config.json", json => json["tie_word_embeddings"] = false);
        _one.Refused("lacks a tensor that its config.json asks for: 'lm_head.weight'");
    }

    [Theory]
    [InlineData("gptq")]
    [InlineData("awq")]
    [InlineData("bitsandbytes")]
    [InlineData("fp8")]
    public void Quantized_checkpoints(string method)
    {
        _one.Json("config.json", json => json["quantization_config"] = new JsonObject { ["quant_method"] = method });
        _one.Refused("config.json", $"is quantized ({method})", "unquantized checkpoint");
    }

    [Fact]
    public void Other_architectures_are_named()
    {
        _one.Json("config.json", json => json["architectures"] = new JsonArray("LlamaForSequenceClassification"));
        _one.Refused("LlamaForSequenceClassification");
        _one.Json("config.json", json => (json["model_type"], json["architectures"]) = ("qwen2", new JsonArray("Qwen2ForCausalLM")));
        _one.Refused("model_type is \"qwen2\", expected \"llama\"", "Qwen2ForCausalLM");
    }

    [Fact]
    public void Git_LFS_pointers()
    {
        File.WriteAllText(_one[Weights], "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
        _one.Refused("is a Git LFS pointer", "git lfs pull");
    }

    private void Truncate(string file, long length)
    {
        using FileStream stream = File.OpenWrite(_one[file]);
        stream.SetLength(length);
    }

    private static string Message(string folder) => Assert.Throws<ModelException>(() => Checkpoint.Open(folder)).Message;
}
