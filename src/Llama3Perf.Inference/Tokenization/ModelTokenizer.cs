using System.Text;
using System.Text.RegularExpressions;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Models;
using Microsoft.ML.Tokenizers;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>
/// A folder's byte-level BPE tokenizer. Token ids are made once, by this, for every engine, so that all of them read the same prompt.
/// Merging is Microsoft.ML.Tokenizers'; splitting is done here because that library knows neither <c>ignore_merges</c>, by which
/// Llama-3 takes a piece that is a token as a whole before it merges anything, nor a way back to bytes for a stream.
/// </summary>
public sealed class ModelTokenizer
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly TokenizerFile _file;
    private readonly BpeTokenizer _merger;
    private readonly Regex _pieces;
    private readonly Regex? _specials;
    private readonly Dictionary<int, byte[]> _bytes;

    private ModelTokenizer(TokenizerFile file)
    {
        _file = file;
        _merger = BpeTokenizer.Create(new BpeOptions(file.Vocabulary) { Merges = file.Merges, ByteLevel = true });
        _pieces = new Regex(file.Pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, s_patience);

        // Longest first: one special token may begin like another.
        _specials = file.Special.Count == 0
            ? null
            : new Regex(string.Join('|', file.Special.Keys.OrderByDescending(text => text.Length).Select(Regex.Escape)), RegexOptions.CultureInvariant, s_patience);
        _bytes = file.Vocabulary.ToDictionary(token => token.Value, token => ByteLevel.ToBytes(token.Key));
        foreach ((string text, int id) in file.Special)
        {
            _bytes[id] = Encoding.UTF8.GetBytes(text);
        }
    }

    /// <summary>Ids that prompts of pseudo-random tokens draw from: ordinary tokens, ascending.</summary>
    internal IReadOnlyList<int> OrdinaryTokens => field ??= [.. _file.Vocabulary.Values.Except(_file.Special.Values).Order()];

    /// <summary>Id of the token that begins a sequence; null when the model has none.</summary>
    internal int? BosTokenId { get; private init; }

    /// <summary>Opens a folder's tokenizer.json.</summary>
    /// <exception cref="EngineException">It is broken, or no byte-level BPE tokenizer.</exception>
    public static ModelTokenizer Open(ModelFolder folder)
    {
        string path = Path.Combine(folder.Path, "tokenizer.json");
        try
        {
            return new ModelTokenizer(TokenizerFile.Read(path)) { BosTokenId = folder.BosTokenId };
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or FormatException)
        {
            throw new EngineException($"{path} cannot be used: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
    }

    /// <summary>Token ids of a text. Special tokens in it are recognized; no BOS is added.</summary>
    public IReadOnlyList<int> Encode(string text)
    {
        List<int> ids = [];
        int start = 0;
        if (_specials is not null)
        {
            foreach (Match special in _specials.Matches(text))
            {
                EncodeOrdinary(text, start, special.Index, ids);
                ids.Add(_file.Special[special.Value]);
                start = special.Index + special.Length;
            }
        }

        EncodeOrdinary(text, start, text.Length, ids);
        return ids;
    }

    /// <summary>The text of token ids. Bytes that are not UTF-8 become U+FFFD; ids outside the vocabulary are left out.</summary>
    public string Decode(IEnumerable<int> tokens)
    {
        StreamingDecoder decoder = CreateStreamingDecoder();
        StringBuilder text = new();
        foreach (int token in tokens)
        {
            text.Append(decoder.Add(token));
        }

        return text.Append(decoder.Finish()).ToString();
    }

    /// <summary>A decoder for tokens that come one by one.</summary>
    public StreamingDecoder CreateStreamingDecoder() => new(_bytes);

    private void EncodeOrdinary(string text, int start, int end, List<int> ids)
    {
        if (start == end)
        {
            return;
        }

        string part = start == 0 && end == text.Length ? text : text[start..end];
        int done = 0;
        foreach (ValueMatch match in _pieces.EnumerateMatches(part))
        {
            // A pattern need not match everything; what lies between its matches is a piece too.
            EncodePiece(part.AsSpan(done, match.Index - done), ids);
            EncodePiece(part.AsSpan(match.Index, match.Length), ids);
            done = match.Index + match.Length;
        }

        EncodePiece(part.AsSpan(done), ids);
    }

    private void EncodePiece(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.IsEmpty)
        {
            return;
        }

        if (_file.IgnoreMerges && _file.Vocabulary.TryGetValue(ByteLevel.FromText(piece), out int whole))
        {
            ids.Add(whole);
            return;
        }

        ids.AddRange(_merger.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false));
    }
}

/// <summary>Decodes tokens as they come; the bytes of a character that is not complete yet are held back.</summary>
public sealed class StreamingDecoder
{
    private readonly IReadOnlyDictionary<int, byte[]> _bytes;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    internal StreamingDecoder(IReadOnlyDictionary<int, byte[]> bytes) => _bytes = bytes;

    /// <summary>The text that this token completes; empty while a character is incomplete.</summary>
    public string Add(int token) => _bytes.TryGetValue(token, out byte[]? bytes) ? Convert(bytes, flush: false) : "";

    /// <summary>What is left at the end: U+FFFD for a character that never became complete.</summary>
    public string Finish() => Convert([], flush: true);

    private string Convert(byte[] bytes, bool flush)
    {
        char[] characters = new char[_utf8.GetCharCount(bytes, flush)];
        int count = _utf8.GetChars(bytes, characters, flush);
        return new string(characters, 0, count);
    }
}
