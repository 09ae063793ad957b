using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Models;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>What a prompt argument asks for: a text, a file's text (<c>@path</c>), or N fixed pseudo-random tokens (<c>ppN</c>).</summary>
public sealed record Prompt
{
    private const int LongestId = 24;

    private Prompt(string id, string text, int randomTokens) => (Id, Text, RandomTokens) = (id, text, randomTokens);

    /// <summary>Short name for tables: <c>pp512</c>, the file's name, or the text.</summary>
    public string Id { get; }

    /// <summary>Tokens that it will have, BOS included; null for a text, which depends on the tokenizer.</summary>
    public int? TokenCount => RandomTokens > 0 ? RandomTokens : null;

    internal string Text { get; }

    internal int RandomTokens { get; }

    /// <summary>The prompts of one option: one text, commas and all, unless it is a comma-separated list of nothing but
    /// <c>ppN</c>.</summary>
    public static IReadOnlyList<string> Arguments(string option)
    {
        string[] items = option.Split(',', StringSplitOptions.TrimEntries);
        return Array.TrueForAll(items, item => Length(item) is not null) ? items : [option];
    }

    /// <summary>Reads an argument.</summary>
    /// <exception cref="EngineException">The file cannot be read, or the text is empty.</exception>
    public static Prompt Parse(string argument)
    {
        if (Length(argument) is { } tokens)
        {
            return tokens is > 0 and <= 1 << 20
                ? new Prompt($"pp{tokens}", "", tokens)
                : throw new EngineException($"the prompt '{argument}' asks for {tokens} tokens; from 1 to {1 << 20} are possible");
        }

        if (argument is ['@', .. var path])
        {
            return new Prompt(Shorten(Path.GetFileName(path)), ReadFile(path), 0);
        }

        return argument.Length > 0 ? OfText(argument) : throw new EngineException("the prompt is empty; give a text, @file or ppN");
    }

    /// <summary>The prompt of a text as it is, whatever it begins with.</summary>
    public static Prompt OfText(string text) => new(Shorten(text), text, 0);

    private static int? Length(string argument) =>
        argument.StartsWith("pp", StringComparison.Ordinal)
        && int.TryParse(argument.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int tokens)
            ? tokens
            : null;

    private static string ReadFile(string path)
    {
        try
        {
            string text = InputFile.ReadText(path, "is no prompt");
            return text.Length > 0 ? text : throw new EngineException($"the prompt file '{path}' is empty");
        }
        catch (Exception exception) when (exception is ModelException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new EngineException($"the prompt file '{path}' cannot be read: {exception.Message}", exception);
        }
    }

    // A text that had to be changed carries the start of its hash, so that different texts have different names.
    private static string Shorten(string text)
    {
        string line = text.ReplaceLineEndings(" ").Trim();
        if (line == text && line.Length <= LongestId)
        {
            return line;
        }

        string hash = $"#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..6]}";
        int room = LongestId - hash.Length;
        return (line.Length <= room ? line : string.Concat(line.AsSpan(0, room - 1), "…")) + hash;
    }
}
