using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Tokenization;

/// <summary>Small tokenizer.json files whose ids can be worked out by hand: id = the byte, then one id a merge, from 256 on.</summary>
internal static class TokenizerFiles
{
    public const string Llama3Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly JsonSerializerOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A file with these merges, each "left right" of plain text.</summary>
    public static JsonObject Create(params string[] merges)
    {
        JsonObject vocabulary = [];
        for (int value = 0; value < 256; value++)
        {
            vocabulary[ByteLevel.Alphabet[value].ToString()] = value;
        }

        JsonArray pairs = [];
        foreach (string merge in merges)
        {
            string[] parts = [.. merge.Split(' ').Select(Write)];
            pairs.Add(new JsonArray(parts[0], parts[1]));
            vocabulary.TryAdd(parts[0] + parts[1], vocabulary.Count);
        }

        return new JsonObject
        {
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = PreTokenizer(Llama3Pattern),
            ["model"] = new JsonObject { ["type"] = "BPE", ["ignore_merges"] = false, ["vocab"] = vocabulary, ["merges"] = pairs },
        };
    }

    public static JsonObject PreTokenizer(string pattern) => new()
    {
        ["type"] = "Sequence",
        ["pretokenizers"] = new JsonArray(
            new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated", ["invert"] = false },
            new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false }),
    };

    public static JsonObject Added(string content, int id, string? flag = null, bool normalized = false)
    {
        JsonObject token = new() { ["id"] = id, ["content"] = content, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = normalized, ["special"] = true };
        if (flag is not null)
        {
            token[flag] = true;
        }

        return token;
    }

    public static ModelTokenizer Open(JsonNode file, ModelFolder folder) => Open(file.ToJsonString(s_options), folder);

    public static ModelTokenizer Open(string json, ModelFolder folder)
    {
        string path = Directory.CreateTempSubdirectory("l3p-tokenizer-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(path, "tokenizer.json"), json);
            return ModelTokenizer.Open(folder with { Path = path });
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    public static string Write(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        char[] characters = new char[bytes.Length];
        ByteLevel.Write(bytes, characters);
        return new string(characters);
    }
}
