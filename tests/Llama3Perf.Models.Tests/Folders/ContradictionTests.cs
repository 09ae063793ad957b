namespace Llama3Perf.Models.Tests.Folders;

/// <summary>genai_config.json and graph are held against each other.</summary>
public sealed class ContradictionTests
{
    [Theory]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", "says num_hidden_layers 1, the graph has 2")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "says num_hidden_layers 3, the graph has 2")]
    [InlineData("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4", "says num_key_value_heads 4, the graph has 2")]
    [InlineData("\"num_attention_heads\": 8", "\"num_attention_heads\": 4", "says num_attention_heads 4, the graph has 8")]
    [InlineData("\"head_size\": 32", "\"head_size\": 64", "says head_size 64, the graph has 32")]
    [InlineData("\"vocab_size\": 1024", "\"vocab_size\": 1100", "says vocab_size 1100, the graph has 1024")]
    [InlineData("\"input_ids\": \"input_ids\"", "\"input_ids\": \"tokens\"", "has no input 'tokens'")]
    [InlineData("\"logits\": \"logits\"", "\"logits\": \"a\\u0000b\\nc\"", "has no output 'a?b?c'")]
    [InlineData(
        "\"filename\": \"model.onnx\"",
        "\"pipeline\": [{\"embeddings\": {\"filename\": \"e.onnx\"}}]",
        "model.decoder.pipeline makes the model of several graphs"
    )]
    [InlineData("\"filename\": \"model.onnx\"", "\"filename\": \"model\\u0000.onnx\"", "filename is")]
    public void Is_named_with_both_values(string right, string wrong, string message)
    {
        using TinyFolder folder = new();
        folder.Configuration(right, wrong).Refused(message);
    }

    [Fact]
    public void A_head_size_that_the_graph_keeps_symbolic_is_seen_in_the_products()
    {
        using TinyFolder folder = new();
        folder.Graph(graph =>
        {
            foreach (Onnx.ValueInfoProto input in graph.Input.Where(input => input.Name.StartsWith("past", StringComparison.Ordinal)))
            {
                input.Type.TensorType.Shape.Dim[3].DimParam = "kv_cache_dim";
            }
        });
        Assert.Empty(folder.Inspect().Problems);
        folder.Configuration("\"head_size\": 32", "\"head_size\": 16").Refused("says head_size 16, the graph has 32");
    }

    [Fact]
    public void A_long_broken_file_is_a_short_message()
    {
        using TinyFolder folder = new();
        File.WriteAllText(folder["genai_config.json"], "{\"model\": " + new string('x', 30_000));

        Assert.InRange(Assert.Throws<ModelException>(folder.Inspect).Message.Length, 1, 600);
    }

    [Theory]
    [InlineData("\"bos_token_id\": ", "\"bos_token_id\": -1, \"was\": ")]
    public void A_bos_of_minus_one_is_none(string right, string wrong)
    {
        using TinyFolder folder = new();
        Assert.Null(folder.Configuration(right, wrong).Inspect().Folder.BosTokenId);
    }
}
