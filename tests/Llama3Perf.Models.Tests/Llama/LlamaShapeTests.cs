using System.Text.Json.Nodes;
using CsCheck;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Tests.Llama;

public sealed class LlamaShapeTests
{
    private const string Config = """
        {
          "model_type": "llama", "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 3,
          "num_attention_heads": 8, "max_position_embeddings": 512, "vocab_size": 1024, "rms_norm_eps": 1e-05
        }
        """;

    [Theory]
    [InlineData("llama-3-8b", 8_030_261_248)]
    [InlineData("llama-3.1-8b", 8_030_261_248)]
    [InlineData("llama-3.2-1b", 1_235_814_400)]
    [InlineData("llama-3.2-3b", 3_212_749_824)]
    [InlineData("llama-125m", 125_848_320)]
    [InlineData("llama-tiny", 984_320)]
    public void Presets_have_the_published_number_of_parameters(string name, long parameters)
    {
        var shape = LlamaShape.Load(name);

        Assert.Equal(parameters, Parameters(shape));
        Assert.Equal(name, shape.Name);
    }

    [Fact]
    public void Every_embedded_shape_is_listed_and_loads()
    {
        Assert.Equal(["llama-125m", "llama-3-8b", "llama-3.1-8b", "llama-3.2-1b", "llama-3.2-3b", "llama-tiny"], LlamaShape.Names);
        Assert.All(LlamaShape.Names, name => Assert.Equal(name, LlamaShape.Load(name).Name));
    }

    [Fact]
    public void Unknown_shape_lists_the_known_ones()
    {
        string message = Assert.Throws<ModelException>(() => LlamaShape.Load("llama-9b")).Message;

        Assert.Contains("'llama-9b'", message);
        Assert.All(LlamaShape.Names, name => Assert.Contains(name, message));
    }

    [Fact]
    public void Defaults_of_absent_keys()
    {
        LlamaShape shape = Read(Config);

        Assert.Equal((32, 8), (shape.HeadSize, shape.KeyValueHeadCount));
        Assert.Equal(10_000, shape.RopeTheta);
        Assert.Null(shape.RopeScaling);
        Assert.False(shape.TieEmbeddings);
        Assert.Null(shape.BosTokenId);
        Assert.Empty(shape.EosTokenIds);
    }

    [Theory]
    [InlineData(
        """
            "rope_theta": 500000.0,
            "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 256, "rope_type": "llama3"}
            """
    )]
    [InlineData(
        """
            "rope_parameters": {"rope_theta": 500000.0, "factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 256, "rope_type": "llama3"}
            """
    )]
    [InlineData(
        """
            "rope_theta": 500000.0,
            "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 256, "type": "llama3"}
            """
    )]
    public void Old_and_new_rope_forms_are_the_same(string keys)
    {
        LlamaShape shape = Read(With(keys));

        Assert.Equal(500_000, shape.RopeTheta);
        Assert.Equal(new RopeScaling(32, 1, 4, 256), shape.RopeScaling);
    }

    [Theory]
    [InlineData("", false, false)]
    [InlineData("\"attention_bias\": null, \"mlp_bias\": false", false, false)]
    [InlineData("\"attention_bias\": true", true, false)]
    [InlineData("\"mlp_bias\": true", false, true)]
    public void Biases_are_read(string keys, bool attention, bool mlp)
    {
        LlamaShape shape = Read(keys.Length == 0 ? Config : With(keys));

        Assert.Equal((attention, mlp), (shape.AttentionBias, shape.MlpBias));
    }

    [Theory]
    [InlineData("\"rope_scaling\": null, \"pretraining_tp\": 1, \"num_key_value_heads\": 8", 10_000)]
    [InlineData("\"rope_theta\": 500000.0, \"rope_scaling\": null, \"num_key_value_heads\": 2", 500_000)]
    [InlineData("\"rope_parameters\": {\"rope_theta\": 10000.0, \"rope_type\": \"default\"}", 10_000)]
    [InlineData("\"rope_parameters\": {\"rope_theta\": 500000, \"rope_type\": \"default\"}", 500_000)]
    public void Llama_2_and_3_have_plain_rope_in_both_forms(string keys, double theta)
    {
        LlamaShape shape = Read(With("\"architectures\": [\"LlamaForCausalLM\"]", keys));

        Assert.Equal((theta, null), (shape.RopeTheta, shape.RopeScaling));
    }

    [Fact]
    public void What_is_written_is_read_as_the_same_shape()
    {
        Assert.All(
            LlamaShape.Names.Select(LlamaShape.Load),
            shape =>
            {
                foreach (
                    LlamaShape variant in (LlamaShape[])
                        [shape, shape with { AttentionBias = true }, shape with { MlpBias = true, TieEmbeddings = true }]
                )
                {
                    LlamaShape read = Read(LlamaConfigText.Config(variant, "bfloat16"));
                    Assert.Equal(variant.EosTokenIds, read.EosTokenIds);
                    Assert.Equal(variant with { Name = "test", EosTokenIds = read.EosTokenIds }, read);
                }
            }
        );
    }

    [Theory]
    [InlineData("llama-3-8b", false)]
    [InlineData("llama-3.2-1b", true)]
    public void What_is_written_has_the_names_of_transformers_4_and_5(string name, bool isScaled)
    {
        LlamaShape shape = LlamaShape.Load(name);
        JsonObject whole = JsonNode.Parse(LlamaConfigText.Config(shape, "bfloat16"))!.AsObject();

        Assert.Equal("bfloat16", (string?)whole["torch_dtype"]);
        Assert.Equal(isScaled, whole["rope_scaling"] is not null);
        foreach (string form in (string[])["rope_parameters", "rope_scaling"])
        {
            JsonObject alone = whole.DeepClone().AsObject();
            alone.Remove(form);
            LlamaShape read = Read(alone.ToJsonString());
            Assert.Equal((shape.RopeTheta, shape.RopeScaling), (read.RopeTheta, read.RopeScaling));
        }
    }

    private const string Plain = "{\"rope_type\": \"default\", \"rope_theta\": 500000.0}";
    private const string Scaled = "\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0";

    [Theory]
    [InlineData($$"""{ {{Scaled}}, "original_max_position_embeddings": 64}""", Plain, "20000.0", 20_000, 64)]
    [InlineData($$"""{ {{Scaled}}, "original_max_position_embeddings": 64, "rope_theta": 300.0}""", Plain, "20000.0", 300, 64)]
    [InlineData($$"""{ {{Scaled}}, "original_max_position_embeddings": 64}""", Plain, "null", 10_000, 64)]
    [InlineData("{}", $$"""{ {{Scaled}}, "original_max_position_embeddings": 32, "rope_theta": 300.0}""", "null", 300, 32)]
    [InlineData("{}", "{}", "20000.0", 20_000, null)]
    [InlineData(
        "{\"rope_type\": \"default\"}",
        $$"""{ {{Scaled}}, "original_max_position_embeddings": 32, "rope_theta": 300.0}""",
        "null",
        10_000,
        null
    )]
    public void Rope_scaling_counts_before_rope_parameters(
        string scaling,
        string parameters,
        string theta,
        double expectedTheta,
        int? original
    )
    {
        LlamaShape shape = Read(With($"\"rope_scaling\": {scaling}", $"\"rope_parameters\": {parameters}", $"\"rope_theta\": {theta}"));

        Assert.Equal((expectedTheta, original), (shape.RopeTheta, shape.RopeScaling?.OriginalContextLength));
    }

    [Fact]
    public void An_original_length_at_the_top_counts_before_the_one_inside() =>
        Assert.Equal(
            64,
            Read(
                With(
                    $$"""
                    "original_max_position_embeddings": 64, "rope_parameters": { {{Scaled}}, "original_max_position_embeddings": 16}
                    """
                )
            ).RopeScaling!.OriginalContextLength
        );

    [Theory]
    [InlineData("\"bos_token_id\": -1, \"eos_token_id\": -1, \"pad_token_id\": -1", new int[0])]
    [InlineData("\"bos_token_id\": null, \"eos_token_id\": [-1, 9, -1]", new[] { 9 })]
    public void A_token_id_of_minus_one_is_none(string keys, int[] eos)
    {
        LlamaShape shape = Read(With(keys));

        Assert.Null(shape.BosTokenId);
        Assert.Equal(eos, shape.EosTokenIds);
    }

    [Theory]
    [InlineData("\"sliding_window\": 4096", "'sliding_window'")]
    [InlineData("\"logits_scaling\": 8, \"sliding_window\": null, \"layer_types\": []", "'logits_scaling', 'layer_types'")]
    [InlineData("\"rope_scaling\": {\"rope_type\": \"default\", \"mscale\": 1}", "'rope_scaling.mscale'")]
    public void A_key_that_nobody_knows_is_named(string keys, string names) =>
        Assert.EndsWith($"not used: {names}", Read(With(keys)).Warning);

    [Theory]
    [InlineData(
        "\"use_cache\": true, \"torch_dtype\": \"bfloat16\", \"transformers_version\": \"5.24.0\", \"pretraining_tp\": 1, "
            + "\"pad_token_id\": 0, \"something_new\": null"
    )]
    [InlineData("\"partial_rotary_factor\": 1.0, \"initializer_range\": 0.02, \"attention_dropout\": 0.0, \"_name_or_path\": \"x\"")]
    public void Known_keys_are_not(string keys) => Assert.Null(Read(With(keys)).Warning);

    [Fact]
    public void Embedded_shapes_have_no_unknown_key() =>
        Assert.All(LlamaShape.Names.Select(LlamaShape.Load), shape => Assert.Null(shape.Warning));

    [Theory]
    [InlineData("\"eos_token_id\": 7", new[] { 7 })]
    [InlineData("\"eos_token_id\": [7, 9]", new[] { 7, 9 })]
    [InlineData("\"eos_token_id\": null", new int[0])]
    public void End_tokens_are_a_number_or_a_list(string key, int[] expected) => Assert.Equal(expected, Read(With(key)).EosTokenIds);

    [Theory]
    [InlineData("\"model_type\": \"qwen2\"", "model_type is \"qwen2\", expected \"llama\"")]
    [InlineData(
        "\"model_type\": \"mistral\", \"architectures\": [\"MistralForCausalLM\"]",
        "the only architecture that is built (this is MistralForCausalLM)"
    )]
    [InlineData(
        "\"architectures\": [\"LlamaForSequenceClassification\"]",
        "architectures is [\"LlamaForSequenceClassification\"], expected [\"LlamaForCausalLM\"]"
    )]
    [InlineData("\"architectures\": \"LlamaForCausalLM\"", "expected a list of strings")]
    [InlineData("\"rope_scaling\": {\"\\ud800\": 1}", "expected an object whose keys are valid Unicode")]
    [InlineData("\"attention_bias\": 1", "attention_bias is 1, expected true or false")]
    [InlineData("\"num_key_value_heads\": 3", "num_key_value_heads is 3, expected a divisor of num_attention_heads 8")]
    [InlineData("\"num_attention_heads\": 7", "num_attention_heads is 7, expected a divisor of hidden_size 256")]
    [InlineData("\"head_dim\": 24", "the head size is 24, expected a multiple of 16")]
    [InlineData("\"rope_scaling\": {\"rope_type\": \"yarn\"}", "rope_scaling.rope_type is \"yarn\", expected \"default\" or \"llama3\"")]
    [InlineData("\"rope_scaling\": {\"rope_type\": \"llama3\"}", "rope_scaling.factor is missing")]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}", "rope_scaling.type is \"linear\"")]
    [InlineData(
        "\"rope_scaling\": {\"rope_type\": \"default\"}, \"rope_parameters\": {\"rope_type\": \"yarn\"}",
        "rope_parameters.rope_type is \"yarn\""
    )]
    [InlineData("\"rope_scaling\": {\"rope_type\": \"default\", \"type\": \"dynamic\"}", "rope_scaling.type is \"dynamic\"")]
    [InlineData(
        "\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"default\"}}",
        "rope_parameters holds parameters by layer type ('full_attention')"
    )]
    [InlineData("\"partial_rotary_factor\": 0.5", "partial_rotary_factor is 0.5, expected 1")]
    [InlineData("\"rope_parameters\": {\"partial_rotary_factor\": 0.5}", "rope_parameters.partial_rotary_factor is 0.5")]
    [InlineData(
        "\"rope_scaling\": {\"rope_type\": \"default\"}, \"rope_parameters\": {\"partial_rotary_factor\": 0.25}",
        "rope_parameters.partial_rotary_factor is 0.25"
    )]
    [InlineData("\"rope_scaling\": {}, \"partial_rotary_factor\": 0.25", "partial_rotary_factor is 0.25")]
    [InlineData("\"bos_token_id\": -2", "bos_token_id is -2")]
    [InlineData("\"hidden_act\": \"gelu\"", "hidden_act is \"gelu\", expected \"silu\"")]
    [InlineData("\"num_hidden_layers\": 100000", "num_hidden_layers is 100000, expected at most 1024")]
    [InlineData("\"hidden_size\": \"256\"", "hidden_size is \"256\", expected a whole number")]
    [InlineData("\"vocab_size\": null", "vocab_size is missing")]
    [InlineData("\"rms_norm_eps\": 0", "rms_norm_eps is 0, expected a number above 0")]
    [InlineData("\"model_type\": \"\\ud800\"", "model_type is \"\\ud800\", expected a string of valid Unicode")]
    public void Unusable_values_are_named(string key, string expected)
    {
        string message = Assert.Throws<ModelException>(() => Read(With(key))).Message;
        Assert.Contains(expected, message);
        Assert.StartsWith("config.json", message);
    }

    [Fact]
    public void A_path_to_a_config_json_works_and_takes_its_folders_name()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["my-llama"]);
        File.WriteAllText(Path.Combine(folder["my-llama"], "config.json"), Config);

        Assert.Equal("my-llama", LlamaShape.Load(Path.Combine(folder["my-llama"], "config.json")).Name);
        Assert.Equal("my-llama", LlamaShape.Load(folder["my-llama"]).Name);

        // Any other file says by its own name what it is.
        File.Copy(Path.Combine(folder["my-llama"], "config.json"), Path.Combine(folder["my-llama"], "wide.json"));
        Assert.Equal("wide", LlamaShape.Load(Path.Combine(folder["my-llama"], "wide.json")).Name);
    }

    [Fact]
    public void Wild_JSON_is_a_shape_or_a_ModelException()
    {
        Gen<string> value = Gen.OneOf(
            Gen.Int.Select(i => $"{i}"),
            Gen.Double.Where(double.IsFinite).Select(d => d.ToString("R")),
            Gen.Bool.Select(b => b ? "true" : "false"),
            Gen.OneOf("null", "[]", "{}", "\"\"", "\"llama\"", "\"\\ud83d\"", "1e999", "-0", "[1,[2]]", "{\"rope_type\":7}", "\"llama3\"")
        );
        Gen<string> key = Gen.OneOf(
            "model_type",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "num_key_value_heads",
            "head_dim",
            "max_position_embeddings",
            "vocab_size",
            "rms_norm_eps",
            "rope_theta",
            "rope_scaling",
            "rope_parameters",
            "eos_token_id",
            "bos_token_id",
            "tie_word_embeddings",
            "attention_bias",
            "architectures",
            "hidden_act",
            "\\ud800"
        );

        Gen.Select(key, value)
            .Array[0, 6]
            .Sample(pairs =>
            {
                ShapeOrModelException(With([.. pairs.Select(pair => $"\"{pair.Item1}\": {pair.Item2}")]));
            });
    }

    [Fact]
    public void Wild_bytes_are_a_shape_or_a_ModelException() =>
        Gen.Select(Gen.Int[0, Config.Length - 1], Gen.Char[' ', '~'], Gen.Int[0, Config.Length])
            .Sample((at, c, length) => ShapeOrModelException(Config.Remove(at, 1).Insert(at, $"{c}")[..length]));

    private static void ShapeOrModelException(string json)
    {
        try
        {
            LlamaShape shape = Read(json);
            Assert.True(Parameters(shape) > 0);
        }
        catch (ModelException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    // The last of equal keys counts.
    private static string With(params string[] keys) => string.Join(", ", [Config.TrimEnd()[..^1], .. keys]) + "}";

    private static LlamaShape Read(string json)
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));
        return LlamaConfig.Read(JsonField.Read("config.json", stream), "test");
    }

    private static long Parameters(LlamaShape shape)
    {
        long attention = (long)shape.HiddenSize * ((2 * shape.QueryWidth) + (2 * shape.KeyValueWidth));
        long mlp = 3L * shape.HiddenSize * shape.IntermediateSize;
        long embeddings = (long)shape.VocabularySize * shape.HiddenSize * (shape.TieEmbeddings ? 1 : 2);
        return (shape.LayerCount * (attention + mlp + (2L * shape.HiddenSize))) + shape.HiddenSize + embeddings;
    }
}
