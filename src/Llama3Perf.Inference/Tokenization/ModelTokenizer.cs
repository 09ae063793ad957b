using System.Buffers;
using System.Text;
using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>
/// A folder's byte-level BPE tokenizer. Token ids are made once, by this, for every engine, so that all of them read the same prompt;
/// they are those that Hugging Face's tokenizers makes of the same tokenizer.json.
/// </summary>
public sealed class ModelTokenizer
{
    private readonly TokenizerFile _file;
    private readonly PieceEncoder _encoder;
    private readonly PieceSplitter _splitter;
    private readonly AddedTokens[] _added;
    private readonly Dictionary<int, byte[]> _bytes = [];

    private ModelTokenizer(TokenizerFile file)
    {
        _file = file;
        _encoder = new PieceEncoder(file);
        _splitter = new PieceSplitter(file.Steps);
        _added = [.. file.Added.GroupBy(token => token.Normalized).OrderBy(group => group.Key).Select(group => new AddedTokens(group))];
        foreach ((string token, int id) in file.Vocabulary)
        {
            _bytes[id] = ByteLevel.ToBytes(token);
        }

        foreach (AddedToken token in file.Added)
        {
            _bytes[token.Id] = Encoding.UTF8.GetBytes(token.Content);
        }
    }

    /// <summary>Ids that prompts of pseudo-random tokens draw from: ordinary tokens, ascending.</summary>
    internal IReadOnlyList<int> OrdinaryTokens => field ??= [.. _file.Vocabulary.Values.Except(_file.Added.Select(token => token.Id)).Order()];

    /// <summary>Id of the token that begins a sequence; null when the model has none.</summary>
    internal int? BosTokenId { get; private init; }

    /// <summary>Opens a folder's tokenizer.json.</summary>
    /// <exception cref="EngineException">It is broken, or no byte-level BPE tokenizer.</exception>
    public static ModelTokenizer Open(ModelFolder folder) => Open(folder.Path, folder.BosTokenId);

    /// <summary>Opens a checkpoint's tokenizer.json, which is also that of every folder made of it.</summary>
    /// <exception cref="EngineException">It is broken, or no byte-level BPE tokenizer.</exception>
    public static ModelTokenizer Open(Checkpoint checkpoint) => Open(checkpoint.Path, checkpoint.Tokens.BosTokenId);

    private static ModelTokenizer Open(string folder, int? bosTokenId)
    {
        string path = Path.Combine(folder, "tokenizer.json");
        try
        {
            return new ModelTokenizer(TokenizerFile.Read(path)) { BosTokenId = bosTokenId };
        }
        catch (ArgumentException exception)
        {
            throw new EngineException($"{path} cannot be used: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
    }

    /// <summary>Token ids of a text; a lone surrogate counts as U+FFFD. Added tokens in it are recognized; no BOS is added.</summary>
    /// <exception cref="EngineException">The file's pattern takes longer than half a minute.</exception>
    public IReadOnlyList<int> Encode(string text)
    {
        List<int> ids = [];
        Dictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> known = new Dictionary<string, int[]>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        Encode(WithoutLoneSurrogates(text), 0, piece => _encoder.Encode(piece, known, ids), ids);
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

    // Tokens that are not to be normalized are found first, the others in what is left.
    private void Encode(string text, int pass, PieceSplitter.Sink sink, List<int> ids)
    {
        if (pass == _added.Length)
        {
            _splitter.Split(text, sink);
            return;
        }

        foreach (AddedTokens.Stretch stretch in _added[pass].Cut(text))
        {
            if (stretch.Id is { } id)
            {
                ids.Add(id);
            }
            else
            {
                Encode(text[stretch.Start..stretch.End], pass + 1, sink, ids);
            }
        }
    }

    private static string WithoutLoneSurrogates(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return text;
        }

        char[] whole = text.ToCharArray();
        for (int i = 0; i < whole.Length;)
        {
            OperationStatus status = Rune.DecodeFromUtf16(text.AsSpan(i), out _, out int length);
            whole[i] = status == OperationStatus.Done ? whole[i] : '\uFFFD';
            i += length;
        }

        return new string(whole);
    }
}
