using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using LLama.Native;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Engines.LlamaCpp;

/// <summary>llama.cpp reads the vocabulary that is written into a GGUF file, and makes the tokens of a text that the tokenizers library
/// makes with the tokenizer.json beside it.</summary>
public sealed class GgufTokenizerTests : IDisposable
{
    private const string Qwen2 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly string[] s_texts =
    [
        "OpenVINO is",
        "",
        " ",
        "\n\n  \t\r\n x",
        "The year 2024, 1234567 tokens; 3.14!",
        "I'll, you'RE, they've, it's, we'd, can't 'S",
        "déjà vu — naïve Ünïcödé ﬁ ǅ",
        "日本語のテキスト、한국어, العربية, हिन्दी",
        "👩‍👩‍👧 and 🏳️‍🌈",
        "for (int i = 0; i < n; i++) { x[i] += 0x1F; } // ok\n",
        "<|begin_of_text|>a<|eot_id|>b<|eot_id",
        "a\u00A0b\u2028c\u200Bd\u0000e",
    ];

    private static readonly string[] s_pieces =
    [
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "a",
        "the",
        "Open",
        "VINO",
        "'s",
        "'LL",
        "1",
        "12",
        "2024",
        ".",
        "!?",
        "(",
        "_",
        "é",
        "ß",
        "日",
        "한",
        "😀",
        "<|eot_id|>",
    ];

    private static readonly Gen<string> s_parts = Gen.Int[0, s_pieces.Length - 1]
        .Array[0, 20]
        .Select(places => string.Concat(places.Select(place => s_pieces[place])));

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-tokens-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("llama3-gqa-bf16", "llama-bpe")]
    [InlineData("llama3-gqa-bf16", "qwen2")]
    [InlineData("llama3-gqa-bf16", "gpt-2")]
    [InlineData("llama32-tied-ropescaled-sharded", "llama-bpe")]
    [InlineData("llama32-tied-ropescaled-sharded", "qwen2")]
    [InlineData("llama32-tied-ropescaled-sharded", "gpt-2")]
    [InlineData("", "llama-bpe")]
    public void Llama_cpp_makes_the_tokens_of_the_tokenizer(string fixture, string preTokenizer)
    {
        ModelStore store = new(_folder);
        string model = fixture.Length == 0 ? "llama-tiny" : Fixtures.Shared(fixture, "hf");
        ModelFolder source = store.GetOrBuild(
            new ModelBuildOptions { Model = model },
            cancellationToken: TestContext.Current.CancellationToken
        );
        SplitAs(preTokenizer, Path.Combine(source.Path, "tokenizer.json"));
        ModelFolder gguf = store.ConvertToGguf(source, cancellationToken: TestContext.Current.CancellationToken);
        var ours = ModelTokenizer.Open(gguf.Path);
        LlamaCppLibrary.Require();
        using var theirs = SafeLlamaModelHandle.LoadFromFile(gguf.GraphPath, LLamaModelParams.Default() with { vocab_only = true });

        Assert.All(s_texts, text => Assert.Equal(ours.Encode(text), Tokens(theirs, text)));
        s_parts.Sample(text => Assert.Equal(ours.Encode(text), Tokens(theirs, text)), iter: 500, threads: 1);
    }

    private static int[] Tokens(SafeLlamaModelHandle model, string text) =>
        text.Length == 0 ? [] : [.. model.Tokenize(text, addBos: false, special: true, Encoding.UTF8).Select(token => (int)token)];

    // The vocabulary and the merges stay: only how a text is split before them is another.
    private static void SplitAs(string preTokenizer, string file)
    {
        if (preTokenizer == "llama-bpe")
        {
            return;
        }

        JsonNode json = JsonNode.Parse(File.ReadAllText(file))!;
        json["model"]!["ignore_merges"] = false;
        JsonObject bytes = new()
        {
            ["type"] = "ByteLevel",
            ["add_prefix_space"] = false,
            ["trim_offsets"] = true,
            ["use_regex"] = preTokenizer == "gpt-2",
        };
        JsonObject split = new()
        {
            ["type"] = "Split",
            ["pattern"] = new JsonObject { ["Regex"] = Qwen2 },
            ["behavior"] = "Isolated",
            ["invert"] = false,
        };
        json["pre_tokenizer"] =
            preTokenizer == "gpt-2" ? bytes : new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(split, bytes) };
        File.WriteAllText(file, json.ToJsonString());
    }
}
