using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

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

    private string Text { get; }

    private int RandomTokens { get; }

    /// <summary>Reads an argument.</summary>
    /// <exception cref="EngineException">The file cannot be read, or the text is empty.</exception>
    public static Prompt Parse(string argument)
    {
        if (argument.StartsWith("pp", StringComparison.Ordinal)
            && int.TryParse(argument.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int tokens))
        {
            return tokens is > 0 and <= 1 << 20
                ? new Prompt($"pp{tokens}", "", tokens)
                : throw new EngineException($"the prompt '{argument}' asks for {tokens} tokens; from 1 to {1 << 20} are possible");
        }

        if (argument is ['@', .. var path])
        {
            return new Prompt(Shorten(Path.GetFileName(path)), ReadFile(path), 0);
        }

        return argument.Length > 0
            ? new Prompt(Shorten(argument), argument, 0)
            : throw new EngineException("the prompt is empty; give a text, @file or ppN");
    }

    /// <summary>Token ids, BOS once in front. A chat template wraps texts and leaves pseudo-random tokens alone.</summary>
    public TokenizedPrompt Tokenize(ModelTokenizer tokenizer, ChatTemplate template)
    {
        int[] bos = tokenizer.BosTokenId is { } id ? [id] : [];
        if (RandomTokens > 0)
        {
            return new TokenizedPrompt(Id, [.. bos.Concat(Draw(tokenizer.OrdinaryTokens)).Take(RandomTokens)]);
        }

        string text = template.Apply(Text);
        IReadOnlyList<int> tokens = tokenizer.Encode(text);
        return new TokenizedPrompt(Id, tokens is [var first, ..] && bos is [var begin] && first == begin ? [.. tokens] : [.. bos, .. tokens]) { Text = text };
    }

    private static string ReadFile(string path)
    {
        try
        {
            string text = File.ReadAllText(path);
            return text.Length > 0 ? text : throw new EngineException($"the prompt file '{path}' is empty");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new EngineException($"the prompt file '{path}' cannot be read: {exception.Message}", exception);
        }
    }

    private static string Shorten(string text)
    {
        string line = text.ReplaceLineEndings(" ").Trim();
        return line.Length <= LongestId ? line : string.Concat(line.AsSpan(0, LongestId - 1), "…");
    }

    // A linear congruential generator (Knuth's MMIX constants), so that the same N gives the same ids on every runtime, for ever.
    private static IEnumerable<int> Draw(IReadOnlyList<int> tokens)
    {
        for (ulong state = 1; ;)
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            yield return tokens[(int)((state >> 33) % (ulong)tokens.Count)];
        }
    }
}

/// <summary>A prompt as engines take it.</summary>
/// <param name="Id">Short name for tables.</param>
/// <param name="TokenIds">Token ids, BOS included.</param>
public sealed record TokenizedPrompt(string Id, int[] TokenIds)
{
    /// <summary>The text that the ids were made of, chat template applied; null for pseudo-random tokens.</summary>
    public string? Text { get; init; }

    /// <summary>SHA-256 over the ids as little-endian int32, lowercase hexadecimal.</summary>
    public string Sha256 { get; } = Hash(TokenIds);

    private static string Hash(int[] ids)
    {
        byte[] bytes = new byte[ids.Length * sizeof(int)];
        for (int i = 0; i < ids.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), ids[i]);
        }

        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }
}
