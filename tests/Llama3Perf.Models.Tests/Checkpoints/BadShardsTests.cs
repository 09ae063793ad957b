using System.Text.Json.Nodes;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Models.Tests.Checkpoints;

/// <summary>An index that does not fit its folder, and files that are links.</summary>
public sealed class BadShardsTests : IDisposable
{
    private const string Index = "model.safetensors.index.json";
    private const string Norm = "model.norm.weight";

    private readonly CheckpointBuilder _shards = new(shardBytes: 20_000);

    private string First =>
        Path.GetFileName(Directory.EnumerateFiles(_shards.Folder, "*.safetensors").Order(StringComparer.Ordinal).First());

    private string Last => Path.GetFileName(Directory.EnumerateFiles(_shards.Folder, "*.safetensors").Order(StringComparer.Ordinal).Last());

    public void Dispose() => _shards.Dispose();

    [Fact]
    public void Missing_shard()
    {
        string last = Last;
        File.Delete(_shards[last]);
        _shards.Refused($"{last} is missing", "names it for tensor", "Download the checkpoint again");
    }

    [Theory]
    [InlineData("model.layers.0.self_attn.rotary_emb.inv_freq", "model-00099-of-00099.safetensors")]
    [InlineData("model.mtp.0.weight", "model-00099-of-00099.safetensors")]
    [InlineData("model.layers.0.self_attn.rotary_emb.inv_freq", null)]
    public void An_index_may_name_what_nobody_needs_and_what_is_not_there(string tensor, string? shard)
    {
        string file = shard ?? First;
        _shards.Json(Index, json => json["weight_map"]![tensor] = file);
        Assert.DoesNotContain(tensor, Checkpoint.Open(_shards.Folder).Tensors.Keys);
    }

    [Fact]
    public void A_head_in_a_shard_that_is_not_there_is_missed()
    {
        _shards.Json(Index, json => json["weight_map"]!["lm_head.weight"] = "model-00099-of-00099.safetensors");
        _shards.Refused("model-00099-of-00099.safetensors is missing", "'lm_head.weight'");
    }

    [Fact]
    public void Truncated_shard()
    {
        string last = Last;
        using (FileStream file = File.OpenWrite(_shards[last]))
        {
            file.SetLength(file.Length - 1);
        }

        _shards.Refused($"{last} is truncated: tensor '{Norm}'");
    }

    [Fact]
    public void Tensor_that_its_shard_lacks()
    {
        string first = First;
        _shards.Json(Index, json => json["weight_map"]![Norm] = first);
        _shards.Refused($"{first} lacks tensor '{Norm}'", Index);
    }

    [Fact]
    public void Tensor_in_two_shards()
    {
        string first = First;
        _shards.Header(first, header => header[Norm] = JsonNode.Parse("""{"dtype": "BF16", "shape": [0], "data_offsets": [0, 0]}"""));
        _shards.Refused($"tensor '{Norm}' is also in {first}");
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("/etc/model.safetensors")]
    [InlineData("sub/model.safetensors")]
    [InlineData("..\\\\model.safetensors")]
    [InlineData("C:model.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("config.json")]
    [InlineData("a\\u0000.safetensors")]
    public void Shard_names_that_leave_the_folder(string name)
    {
        _shards.Json(Index, json => json["weight_map"]![Norm] = JsonNode.Parse($"\"{name}\""));
        _shards.Refused(Index, $"tensor '{Norm}' is said to be in", "beside the index");
    }

    [Theory]
    [InlineData("{", "is not JSON")]
    [InlineData("{}", "weight_map is missing")]
    [InlineData("""{"weight_map": 3}""", "weight_map is 3, expected an object")]
    [InlineData("""{"weight_map": {}}""", "weight_map is empty")]
    [InlineData("""{"weight_map": {"a": 3}}""", "weight_map 'a' is 3, expected a string")]
    [InlineData("""{"weight_map": {"\ud800": "a.safetensors"}}""", "not valid Unicode")]
    public void Broken_index(string text, string message)
    {
        File.WriteAllText(_shards[Index], text);
        _shards.Refused(Index, message);
    }

    [Fact]
    public void Tensor_twice_in_the_index()
    {
        string last = Last;
        File.WriteAllText(_shards[Index], $$$"""{"weight_map": {"a": "{{{last}}}", "a": "{{{last}}}"}}""");
        _shards.Refused(Index, "'a' twice");
    }

    [Fact]
    public void Link_out_of_the_folder()
    {
        string last = Last;
        File.Move(_shards[last], _shards.Beside("secret"));
        Links.ToFile(_shards[last], Path.Combine("..", "secret"));
        _shards.Refused(last, "is a link to", "secret", "outside the folder");
    }

    [Fact]
    public void Link_within_the_folder()
    {
        string last = Last;
        File.Move(_shards[last], _shards["renamed"]);
        Links.ToFile(_shards[last], "renamed");

        Assert.Contains(_shards[last], Checkpoint.Open(_shards.Folder).WeightFiles);
    }

    [Fact]
    public void Link_to_itself()
    {
        string last = Last;
        File.Delete(_shards[last]);
        Links.ToFile(_shards[last], last);
        Assert.Throws<ModelException>(() => Checkpoint.Open(_shards.Folder));
    }

    [Fact]
    public void Snapshot_of_a_hub_cache_opens_also_through_a_link_to_it()
    {
        string snapshot = Snapshot("blobs");
        Links.ToFolder(_shards.Beside("shortcut"), snapshot);

        Assert.Equal("Small-1B", Checkpoint.Open(snapshot).Shape.Name);
        Assert.NotEmpty(Checkpoint.Open(_shards.Beside("shortcut")).Tensors);
    }

    [Fact]
    public void Snapshot_that_leads_to_another_folder_than_its_blobs_is_refused()
    {
        string snapshot = Snapshot("others");

        Assert.Contains("outside the folder", Assert.Throws<ModelException>(() => Checkpoint.Open(snapshot)).Message);
    }

    /// <summary>The checkpoint as Hugging Face's tools lay it out: every file a link to a blob.</summary>
    private string Snapshot(string blobs)
    {
        string entry = _shards.Beside("models--someone--Small-1B");
        string snapshot = Path.Combine(entry, "snapshots", "0123abcd");
        Directory.CreateDirectory(snapshot);
        Directory.CreateDirectory(Path.Combine(entry, blobs));
        foreach ((int number, string file) in Directory.EnumerateFiles(_shards.Folder).Index())
        {
            string blob = $"{number:x40}";
            File.Copy(file, Path.Combine(entry, blobs, blob));
            Links.ToFile(Path.Combine(snapshot, Path.GetFileName(file)), Path.Combine("..", "..", blobs, blob));
        }

        return snapshot;
    }
}
