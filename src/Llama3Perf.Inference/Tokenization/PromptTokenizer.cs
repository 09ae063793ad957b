using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>How a text becomes a prompt.</summary>
/// <param name="Template">What is written around it.</param>
/// <param name="AddBos">True puts the configuration's BOS token in front, once, where the tokenizer itself puts none.</param>
public sealed record PromptForm(ChatTemplate Template, bool AddBos)
{
    /// <summary>The text alone, with what the tokenizer itself puts around it.</summary>
    public static PromptForm Plain { get; } = new(ChatTemplate.None, AddBos: false);
}

/// <summary>
/// Makes the token ids of a model's prompts, the same for every engine. The tokenizer is opened when the first text comes:
/// pseudo-random tokens need none.
/// </summary>
public sealed class PromptTokenizer
{
    private readonly Lazy<ModelTokenizer> _tokenizer;
    private readonly int _vocabularySize;
    private readonly int? _bos;
    private readonly IReadOnlyList<int> _eos;

    private PromptTokenizer(string folder, int vocabularySize, int? bos, IReadOnlyList<int> eos)
    {
        Folder = folder;
        _tokenizer = new Lazy<ModelTokenizer>(() => ModelTokenizer.Open(folder));
        (_vocabularySize, _bos, _eos) = (vocabularySize, bos, eos);
    }

    /// <summary>The model folder or checkpoint whose tokenizer it is.</summary>
    public string Folder { get; }

    /// <summary>The tokenizer that texts are encoded with.</summary>
    /// <exception cref="EngineException">It cannot be opened.</exception>
    public ModelTokenizer Tokenizer => _tokenizer.Value;

    /// <summary>For a model folder.</summary>
    public static PromptTokenizer For(ModelFolder folder) =>
        new(folder.TokenizerFolder, folder.VocabularySize, folder.BosTokenId, folder.EosTokenIds);

    /// <summary>For a checkpoint, and for every folder that is made of it.</summary>
    public static PromptTokenizer For(Checkpoint checkpoint) =>
        new(checkpoint.Path, checkpoint.Shape.VocabularySize, checkpoint.Tokens.BosTokenId, checkpoint.Tokens.EosTokenIds);

    /// <summary>
    /// A prompt's ids. Around a bare text stands what the tokenizer itself puts there, around a chat template's nothing more: it writes
    /// its own BOS. Pseudo-random tokens begin with the configuration's BOS, if it has one, and no template is around them.
    /// </summary>
    /// <exception cref="EngineException">
    /// The tokenizer cannot be opened or lacks a mark of the template, or an id is outside the model's vocabulary.
    /// </exception>
    public TokenizedPrompt Tokenize(Prompt prompt, PromptForm form)
    {
        TokenizedPrompt tokens =
            prompt.RandomTokens > 0
                ? new TokenizedPrompt(prompt.Id, [.. Bos().Concat(Draw(Ordinary())).Take(prompt.RandomTokens)])
                : Encode(prompt, form);
        return Array.FindIndex(tokens.TokenIds, id => id < 0 || id >= _vocabularySize) is >= 0 and var place
            ? throw new EngineException(
                $"the prompt '{prompt.Id}' has the token {tokens.TokenIds[place]} at place {place + 1}, and the model's vocabulary ends at "
                    + $"{_vocabularySize - 1}: its tokenizer belongs to another model"
            )
            : tokens;
    }

    private TokenizedPrompt Encode(Prompt prompt, PromptForm form)
    {
        if (form.Template.Marks.Where(mark => Tokenizer.IdOf(mark) is null).ToArray() is { Length: > 0 } missing)
        {
            throw new EngineException(
                $"the chat template {form.Template.Name} writes {string.Join(", ", missing)}, which the tokenizer would read as plain "
                    + "text: it is another model's template"
            );
        }

        string text = form.Template.Apply(prompt.Text);
        int[] ids = [.. Tokenizer.Encode(text)];
        IReadOnlyList<int> before = Tokenizer.Frame.Before;
        if (form.Template == ChatTemplate.None)
        {
            // Who writes BOS into the text means that one.
            bool isWritten = before.Count > 0 && ids.AsSpan().StartsWith([.. before]);
            ids = isWritten ? [.. ids, .. Tokenizer.Frame.After] : [.. Tokenizer.Frame.Around(ids)];
        }

        return new TokenizedPrompt(prompt.Id, form.AddBos && !ids.AsSpan().StartsWith(RequiredBos()) ? [.. RequiredBos(), .. ids] : ids)
        {
            Text = text,
        };
    }

    private int[] Bos() => _bos is { } id ? [id] : [];

    private int[] RequiredBos() =>
        Bos() is [_] bos
            ? bos
            : throw new EngineException("BOS cannot be put in front of prompts: the model's configuration names no bos_token_id");

    // Tokens of text: those before BOS and EOS where these stand at the vocabulary's end with other special tokens, else all but these.
    private int[] Ordinary()
    {
        int[] special = [.. Bos(), .. _eos];
        int end = special.Append(_vocabularySize).Min();
        return end >= _vocabularySize / 2 && end > 0
            ? [.. Enumerable.Range(0, end)]
            : [.. Enumerable.Range(0, _vocabularySize).Except(special)];
    }

    // A linear congruential generator (Knuth's MMIX constants), so that the same N gives the same ids on every runtime, for ever.
    private static IEnumerable<int> Draw(int[] tokens)
    {
        for (ulong state = 1; ; )
        {
            state = (state * 6364136223846793005) + 1442695040888963407;
            yield return tokens[(int)((state >> 33) % (ulong)tokens.Length)];
        }
    }
}
