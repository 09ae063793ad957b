using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Inspection;
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
        Assert.Equal(
            (1024, 256, 704, 3),
            (checkpoint.Shape.VocabularySize, checkpoint.Shape.HiddenSize, checkpoint.Shape.IntermediateSize, checkpoint.Shape.LayerCount)
        );
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
        checkpoint.Header(
            "model.safetensors",
            header =>
            {
                JsonArray offsets = header["model.norm.weight"]!["data_offsets"]!.AsArray();
                end = offsets[1]!.GetValue<long>();
                header["model.norm.weight"]!["data_offsets"] = new JsonArray(end + 100, end + 164);
            }
        );
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
    [InlineData("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", 4)]
    [InlineData("model.rotary_emb.inv_freq", "F64", 8)]
    [InlineData("model.layers.1.self_attn.rotary_emb.cos_cached", "I64", 8)]
    [InlineData("model.layers.1.self_attn.rotary_emb.inv_freq", "F8_E4M3", 1)]
    public void Tables_of_the_rotary_embedding_may_be_there_in_any_type(string name, string type, int size)
    {
        using var checkpoint = new CheckpointBuilder();
        Extra(checkpoint, name, [8], type, new byte[8 * size]);

        var opened = Checkpoint.Open(checkpoint.Folder);
        Assert.DoesNotContain(name, opened.Tensors.Keys);
        Assert.Empty(opened.Warnings);
    }

    [Fact]
    public void A_stored_head_that_is_the_embedding_stays_tied()
    {
        using var checkpoint = new CheckpointBuilder(CheckpointBuilder.Small with { TieEmbeddings = true });
        byte[] embedding = Bytes(checkpoint, "model.embed_tokens.weight");
        Extra(checkpoint, "lm_head.weight", [512, 32], "BF16", embedding);

        var opened = Checkpoint.Open(checkpoint.Folder);
        Assert.True(opened.Shape.TieEmbeddings);
        Assert.DoesNotContain("lm_head.weight", opened.Tensors.Keys);
        Assert.Empty(opened.Warnings);
    }

    [Fact]
    public void The_same_numbers_in_a_wider_type_stay_tied()
    {
        using var checkpoint = new CheckpointBuilder(CheckpointBuilder.Small with { TieEmbeddings = true });
        byte[] embedding = Bytes(checkpoint, "model.embed_tokens.weight");
        float[] widened = new float[embedding.Length / 2];
        SourceRow.Widen(embedding, CheckpointType.BFloat16, widened);
        Extra(checkpoint, "lm_head.weight", [512, 32], "F32", MemoryMarshal.AsBytes<float>(widened).ToArray());

        Assert.True(Checkpoint.Open(checkpoint.Folder).Shape.TieEmbeddings);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(511)]
    public void A_stored_head_that_differs_in_one_number_is_used_and_said(int row)
    {
        using var checkpoint = new CheckpointBuilder(CheckpointBuilder.Small with { TieEmbeddings = true });
        byte[] head = Bytes(checkpoint, "model.embed_tokens.weight");
        head[(row * 32 * 2) + 11] ^= 1;
        Extra(checkpoint, "lm_head.weight", [512, 32], "BF16", head);

        var opened = Checkpoint.Open(checkpoint.Folder);
        Assert.False(opened.Shape.TieEmbeddings);
        Assert.Contains("lm_head.weight", opened.Tensors.Keys);
        Assert.Contains($"differs from it (first in row {row})", Assert.Single(opened.Warnings));
    }

    [Fact]
    public void A_lone_head_is_the_embedding_too()
    {
        using var checkpoint = new CheckpointBuilder(CheckpointBuilder.Small with { TieEmbeddings = true });
        checkpoint.HeaderText("model.safetensors", text => text.Replace("model.embed_tokens.weight", "lm_head.weight"));

        var opened = Checkpoint.Open(checkpoint.Folder);
        Assert.True(opened.Shape.TieEmbeddings);
        Assert.Equal("lm_head.weight", opened.Tensors["model.embed_tokens.weight"].Name);
        Assert.DoesNotContain(CheckpointInspection.Of(checkpoint.Folder).Problems, problem => problem.Contains("not used"));
    }

    [Theory]
    [InlineData("model.", "", "lack the prefix 'model.'")]
    [InlineData("model.", "language_model.model.", "begin with 'language_model.model.' where")]
    [InlineData("model.", "base_model.model.model.", "begin with 'base_model.model.model.' where")]
    public void Names_with_another_prefix_are_told_by_it(string usual, string other, string message)
    {
        using var checkpoint = new CheckpointBuilder(CheckpointBuilder.Small with { TieEmbeddings = true });
        checkpoint.HeaderText("model.safetensors", text => text.Replace($"\"{usual}", $"\"{other}"));

        checkpoint.Refused(message);
    }

    [Fact]
    public void The_folder_of_a_hub_cache_entry_leads_to_its_snapshot()
    {
        using var checkpoint = new CheckpointBuilder();
        string entry = checkpoint.Beside("models--someone--Small-Llama");
        string snapshot = Path.Combine(entry, "snapshots", "0123abc");
        Directory.CreateDirectory(Path.Combine(entry, "refs"));
        Directory.CreateDirectory(Path.Combine(entry, "snapshots", "older"));
        Directory.Move(checkpoint.Folder, snapshot);
        File.WriteAllText(Path.Combine(entry, "refs", "main"), "0123abc");

        Assert.True(Checkpoint.IsCheckpoint(entry));
        var opened = Checkpoint.Open(entry);
        Assert.Equal((snapshot, "Small-Llama"), (opened.Path, opened.Shape.Name));
        Assert.Equal("Small-Llama", LlamaShape.Load(entry).Name);
    }

    [Theory]
    [InlineData("lm_head.weight", 512)]
    [InlineData("model.layers.0.self_attn.q_proj.bias", 32)]
    [InlineData("model.layers.0.mlp.up_proj.lora_A.weight", 32)]
    public void Other_tensors_are_refused(string name, int elements)
    {
        using var checkpoint = new CheckpointBuilder();
        Extra(checkpoint, name, [elements], "F32", new byte[elements * 4]);

        checkpoint.Refused("has a tensor that its config.json does not ask for", $"'{name}'");
    }

    [Fact]
    public void Old_and_new_rope_forms_are_the_same()
    {
        using var checkpoint = new CheckpointBuilder();
        LlamaShape before = Checkpoint.Open(checkpoint.Folder).Shape;
        checkpoint.Json(
            "config.json",
            json =>
            {
                JsonObject rope = json["rope_parameters"]!.DeepClone().AsObject();
                json.Remove("rope_parameters");
                json["rope_theta"] = rope["rope_theta"]!.DeepClone();
                rope.Remove("rope_theta");
                json["rope_scaling"] = rope;
            }
        );
        LlamaShape after = Checkpoint.Open(checkpoint.Folder).Shape;

        Assert.NotNull(before.RopeScaling);
        Assert.Equal((before.RopeTheta, before.RopeScaling), (after.RopeTheta, after.RopeScaling));
    }

    private static byte[] Bytes(CheckpointBuilder checkpoint, string tensor)
    {
        CheckpointTensor place = Checkpoint.Open(checkpoint.Folder).Tensors[tensor];
        return File.ReadAllBytes(place.File)[(int)place.Offset..(int)(place.Offset + place.Length)];
    }

    private static void Extra(CheckpointBuilder checkpoint, string name, long[] shape, string type, byte[] content)
    {
        (JsonObject header, byte[] data) = CheckpointBuilder.Split(checkpoint["model.safetensors"]);
        header[name] = new JsonObject
        {
            ["dtype"] = type,
            ["shape"] = new JsonArray([.. shape.Select(dim => (JsonNode)dim)]),
            ["data_offsets"] = new JsonArray(data.Length, data.Length + content.Length),
        };
        CheckpointBuilder.Write(checkpoint["model.safetensors"], header.ToJsonString(), [.. data, .. content]);
    }
}
