using System.Text.Json.Nodes;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Tests.Checkpoints;

public sealed class CheckpointTests
{
    [Fact]
    public void One_file_of_another_tool_opens()
    {
        string path = Fixtures.Shared("llama3-gqa-bf16", "hf");
        var checkpoint = Checkpoint.Open(path);

        Assert.True(Checkpoint.IsCheckpoint(path));
        Assert.Equal((1024, 256, 704, 3), (checkpoint.Shape.VocabularySize, checkpoint.Shape.HiddenSize, checkpoint.Shape.IntermediateSize, checkpoint.Shape.LayerCount));
        Assert.Equal(["model.safetensors"], checkpoint.WeightFiles.Select(Path.GetFileName));
        Assert.Equal(30, checkpoint.Tensors.Count);
        CheckpointTensor head = checkpoint.Tensors["lm_head.weight"];
        Assert.Equal((CheckpointType.BFloat16, 8L + 3192, 524288L), (head.Type, head.Offset, head.Length));
        Assert.Equal([1024L, 256L], head.Shape);
        Assert.Equal([64L, 256L], checkpoint.Tensors["model.layers.2.self_attn.k_proj.weight"].Shape);
    }

    [Fact]
    public void Shards_of_another_tool_open()
    {
        var checkpoint = Checkpoint.Open(Fixtures.Shared("llama32-tied-ropescaled-sharded", "hf"));

        Assert.True(checkpoint.Shape.TieEmbeddings);
        Assert.Equal(5, checkpoint.WeightFiles.Count);
        Assert.Equal(checkpoint.WeightFiles.Order(StringComparer.Ordinal), checkpoint.WeightFiles);
        Assert.Equal(38, checkpoint.Tensors.Count);
        Assert.DoesNotContain("lm_head.weight", checkpoint.Tensors.Keys);
        Assert.Equal([128L, 256L], checkpoint.Tensors["model.layers.3.self_attn.o_proj.weight"].Shape);
        Assert.EndsWith("model-00002-of-00005.safetensors", checkpoint.Tensors["model.layers.0.mlp.up_proj.weight"].File);
    }

    [Fact]
    public void What_is_a_checkpoint()
    {
        using var checkpoint = new CheckpointBuilder();
        Assert.True(Checkpoint.IsCheckpoint(checkpoint.Folder));
        Assert.False(Checkpoint.IsCheckpoint(checkpoint["config.json"]));
        Assert.False(Checkpoint.IsCheckpoint(checkpoint["nowhere"]));

        File.Move(checkpoint["model.safetensors"], checkpoint["weights.safetensors"]);
        Assert.True(Checkpoint.IsCheckpoint(checkpoint.Folder));
        File.Move(checkpoint["weights.safetensors"], checkpoint["pytorch_model-00001-of-00002.bin"]);
        Assert.True(Checkpoint.IsCheckpoint(checkpoint.Folder));
        File.Delete(checkpoint["pytorch_model-00001-of-00002.bin"]);
        Assert.False(Checkpoint.IsCheckpoint(checkpoint.Folder));
    }

    [Fact]
    public void Shards_without_an_index_are_read_together()
    {
        using var checkpoint = new CheckpointBuilder(shardBytes: 20_000);
        var indexed = Checkpoint.Open(checkpoint.Folder);
        File.Delete(checkpoint["model.safetensors.index.json"]);
        var all = Checkpoint.Open(checkpoint.Folder);

        Assert.True(all.WeightFiles.Count > 1);
        Assert.Equal(indexed.WeightFiles, all.WeightFiles);
        Assert.Equal(indexed.Tensors.Keys.Order(), all.Tensors.Keys.Order());
    }

    [Fact]
    public void Holes_between_tensors_are_allowed()
    {
        using var checkpoint = new CheckpointBuilder();
        CheckpointTensor before = Checkpoint.Open(checkpoint.Folder).Tensors["model.norm.weight"];
        long end = 0;
        checkpoint.Header("model.safetensors", header =>
        {
            JsonArray offsets = header["model.norm.weight"]!["data_offsets"]!.AsArray();
            end = offsets[1]!.GetValue<long>();
            header["model.norm.weight"]!["data_offsets"] = new JsonArray(end + 100, end + 164);
        });
        using (FileStream file = File.OpenWrite(checkpoint["model.safetensors"]))
        {
            file.SetLength(file.Length + 500);
        }

        CheckpointTensor after = Checkpoint.Open(checkpoint.Folder).Tensors["model.norm.weight"];
        Assert.Equal(64, before.Length);
        Assert.Equal(64, after.Length);
        Assert.NotEqual(before.Offset, after.Offset);
    }

    [Theory]
    [InlineData("model.layers.0.self_attn.rotary_emb.inv_freq", 8)]
    [InlineData("lm_head.weight", 512 * 32)]
    public void Left_over_tensors_are_tolerated_and_not_listed(string name, int elements)
    {
        using var checkpoint = new CheckpointBuilder();
        long[] shape = name == "lm_head.weight" ? [512, 32] : [elements];
        Extra(checkpoint, name, shape, elements);

        Assert.DoesNotContain(name, Checkpoint.Open(checkpoint.Folder).Tensors.Keys);
    }

    [Theory]
    [InlineData("lm_head.weight", 512)]
    [InlineData("model.layers.0.self_attn.q_proj.bias", 32)]
    [InlineData("model.layers.0.mlp.up_proj.lora_A.weight", 32)]
    public void Other_tensors_are_refused(string name, int elements)
    {
        using var checkpoint = new CheckpointBuilder();
        Extra(checkpoint, name, [elements], elements);

        checkpoint.Refused("has a tensor that its config.json does not ask for", $"'{name}'");
    }

    [Fact]
    public void Old_and_new_rope_forms_are_the_same()
    {
        using var checkpoint = new CheckpointBuilder();
        LlamaShape before = Checkpoint.Open(checkpoint.Folder).Shape;
        checkpoint.Json("config.json", json =>
        {
            JsonObject rope = json["rope_parameters"]!.DeepClone().AsObject();
            json.Remove("rope_parameters");
            json["rope_theta"] = rope["rope_theta"]!.DeepClone();
            rope.Remove("rope_theta");
            json["rope_scaling"] = rope;
        });
        LlamaShape after = Checkpoint.Open(checkpoint.Folder).Shape;

        Assert.NotNull(before.RopeScaling);
        Assert.Equal((before.RopeTheta, before.RopeScaling), (after.RopeTheta, after.RopeScaling));
    }

    private static void Extra(CheckpointBuilder checkpoint, string name, long[] shape, int elements)
    {
        (JsonObject header, byte[] data) = CheckpointBuilder.Split(checkpoint["model.safetensors"]);
        header[name] = new JsonObject
        {
            ["dtype"] = "F32",
            ["shape"] = new JsonArray([.. shape.Select(dim => (JsonNode)dim)]),
            ["data_offsets"] = new JsonArray(data.Length, data.Length + (elements * 4)),
        };
        CheckpointBuilder.Write(checkpoint["model.safetensors"], header.ToJsonString(), [.. data, .. new byte[elements * 4]]);
    }
}
