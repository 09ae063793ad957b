using System.Text.Json;
using Llama3Perf.Models;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>What a tokenizer_config.json says about the tokens around a text.</summary>
/// <param name="AddBos">Whether BOS comes in front; null where the file does not say.</param>
/// <param name="AddEos">Whether EOS comes behind; null where the file does not say.</param>
/// <param name="Bos">Text of the BOS token.</param>
/// <param name="Eos">Text of the EOS token.</param>
internal sealed record TokenizerSettings(bool? AddBos, bool? AddEos, string? Bos, string? Eos)
{
    /// <summary>Reads a folder's file; one that is not there says nothing.</summary>
    /// <exception cref="EngineException">It is broken.</exception>
    public static TokenizerSettings Read(string folder)
    {
        string path = Path.Combine(folder, "tokenizer_config.json");
        if (!File.Exists(path))
        {
            return new TokenizerSettings(null, null, null, null);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(InputFile.ReadBytes(path, InputFile.MaxJsonBytes, "is not JSON"));
            JsonElement root = document.RootElement;
            return new TokenizerSettings(
                Flag(root, "add_bos_token"),
                Flag(root, "add_eos_token"),
                Token(root, "bos_token"),
                Token(root, "eos_token")
            );
        }
        catch (Exception exception)
            when (exception
                    is JsonException
                        or ModelException
                        or FormatException
                        or InvalidOperationException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            throw new EngineException($"{path} cannot be read: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
    }

    /// <summary>
    /// As transformers 5 has it: where the file says anything of BOS or EOS, that alone counts, and what it does not say is no;
    /// where it says nothing (null), tokenizer.json's post-processor counts.
    /// </summary>
    /// <exception cref="FormatException">It asks for a token that the tokenizer lacks.</exception>
    public TokenFrame? Frame(ModelTokenizer tokenizer) =>
        AddBos is null && AddEos is null ? null : new TokenFrame(Ids(AddBos, Bos, tokenizer), Ids(AddEos, Eos, tokenizer));

    private static int[] Ids(bool? wanted, string? token, ModelTokenizer tokenizer) =>
        wanted != true || token is null
            ? []
            :
            [
                tokenizer.IdOf(token)
                    ?? throw new FormatException($"tokenizer_config.json puts '{token}' around texts, which is no token of it"),
            ];

    private static bool? Flag(JsonElement root, string name) => root.Optional(name) is null ? null : root.Flag(name);

    // "<s>", or {"content": "<s>", ...}
    private static string? Token(JsonElement root, string name) =>
        root.Optional(name) is { ValueKind: JsonValueKind.Object } token ? token.Text("content") : root.Text(name);
}
