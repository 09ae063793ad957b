using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llama3Perf.Inference.Tokenization;

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
            vocabulary[Write((byte)value).ToString()] = value;
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
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = pairs,
            },
        };
    }

    public static JsonObject PreTokenizer(string pattern) =>
        new()
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject
                {
                    ["type"] = "Split",
                    ["pattern"] = new JsonObject { ["Regex"] = pattern },
                    ["behavior"] = "Isolated",
                    ["invert"] = false,
                },
                new JsonObject
                {
                    ["type"] = "ByteLevel",
                    ["add_prefix_space"] = false,
                    ["trim_offsets"] = true,
                    ["use_regex"] = false,
                }
            ),
        };

    public static JsonObject Added(string content, int id, string? flag = null, bool normalized = false)
    {
        JsonObject token = new()
        {
            ["id"] = id,
            ["content"] = content,
            ["single_word"] = false,
            ["lstrip"] = false,
            ["rstrip"] = false,
            ["normalized"] = normalized,
            ["special"] = true,
        };
        if (flag is not null)
        {
            token[flag] = true;
        }

        return token;
    }

    public static ModelTokenizer Open(JsonNode file, JsonNode? settings = null) =>
        Open(file.ToJsonString(s_options), settings?.ToJsonString());

    public static ModelTokenizer Open(string json, string? settings = null) => Use(json, settings, ModelTokenizer.Open);

    /// <summary>Writes the files of a tokenizer for as long as something is done with their folder.</summary>
    public static T Use<T>(string json, string? settings, Func<string, T> use)
    {
        string folder = Directory.CreateTempSubdirectory("l3p-tokenizer-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "tokenizer.json"), json);
            if (settings is not null)
            {
                File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), settings);
            }

            return use(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Text as byte-level tokens are written.</summary>
    public static string Write(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(Write));

    // Printable Latin-1 bytes stand for themselves, the others for the characters from U+0100 on, in order.
    private static char Write(byte value) =>
        IsPrintable(value) ? (char)value : (char)(0x100 + Enumerable.Range(0, value).Count(other => !IsPrintable((byte)other)));

    private static bool IsPrintable(byte value) => value is (>= (byte)'!' and <= (byte)'~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;
}
