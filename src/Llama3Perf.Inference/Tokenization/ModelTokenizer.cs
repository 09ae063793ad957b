using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Tokenizers.DotNet;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>
/// A folder's tokenizer, by Hugging Face's own tokenizers library: every tokenizer.json that it loads. Token ids are made once, by this,
/// for every engine, so that all of them read the same prompt.
/// </summary>
public sealed class ModelTokenizer
{
    private readonly Tokenizer _native;
    private readonly TokenFrame _frame;

    private ModelTokenizer(TokenizerFile file, string folder)
    {
        _native = Load(file.Json);
        _frame = TokenizerSettings.Read(folder).Frame(this) ?? file.Frame;
    }

    /// <summary>The tokens that the tokenizer itself puts around a text.</summary>
    internal TokenFrame Frame => _frame;

    /// <summary>Opens the tokenizer.json of a model folder or a checkpoint, and the tokenizer_config.json beside it.</summary>
    /// <exception cref="EngineException">One of them is missing or broken, or the library for this platform is not there.</exception>
    public static ModelTokenizer Open(string folder)
    {
        string path = Path.Combine(folder, "tokenizer.json");
        try
        {
            return new ModelTokenizer(TokenizerFile.Read(path), folder);
        }
        catch (NotSupportedException exception)
        {
            throw new EngineException($"{path} cannot be used: it {OneLine(exception)}", exception);
        }
        catch (Exception exception)
            when (exception
                    is JsonException
                        or FormatException
                        or InvalidOperationException
                        or IOException
                        or UnauthorizedAccessException
                        or TokenizerException
            )
        {
            throw new EngineException($"{path} is no tokenizer.json that can be read: {OneLine(exception)}", exception);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            throw new EngineException(
                $"the tokenizers library is not there for {RuntimeInformation.RuntimeIdentifier}, so that texts cannot be prompts; prompts "
                    + "of the form ppN need none",
                exception
            );
        }
    }

    /// <summary>Token ids of a text alone; a lone surrogate counts as U+FFFD. Added tokens in it are recognized, none are put around
    /// it.</summary>
    /// <exception cref="EngineException">The tokenizer has no token for a part of it.</exception>
    public IReadOnlyList<int> Encode(string text)
    {
        try
        {
            return Array.ConvertAll(_native.Encode(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))), id => (int)id);
        }
        catch (TokenizerException exception)
        {
            throw new EngineException($"the tokenizer cannot encode this prompt: {OneLine(exception)}", exception);
        }
    }

    /// <summary>The id of a text that is one token by itself; null for one that is several.</summary>
    public int? IdOf(string token) => Encode(token) is [var id] ? id : null;

    /// <summary>The text of token ids, special tokens included. Bytes that are not UTF-8 become U+FFFD; ids outside the vocabulary are left
    /// out.</summary>
    public string Decode(IEnumerable<int> tokens) => _native.Decode([.. tokens.Select(token => unchecked((uint)token))]);

    /// <summary>A decoder for tokens that come one by one.</summary>
    public StreamingDecoder CreateStreamingDecoder() => new(Decode);

    // The library reads files only.
    private static Tokenizer Load(byte[] json)
    {
        string folder = Directory.CreateTempSubdirectory("llama3perf-tokenizer-").FullName;
        try
        {
            string path = Path.Combine(folder, "tokenizer.json");
            File.WriteAllBytes(path, json);
            return new Tokenizer(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string OneLine(Exception exception) =>
        exception.Message.Replace("Failed to load tokenizer: ", "", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
