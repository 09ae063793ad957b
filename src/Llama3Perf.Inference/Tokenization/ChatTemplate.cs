using System.Text.RegularExpressions;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>Text around a user's message that tells a chat model whose turn it is.</summary>
/// <param name="Name">Name on the command line and in results.</param>
/// <param name="Apply">Wraps a message.</param>
public sealed partial record ChatTemplate(string Name, Func<string, string> Apply)
{
    /// <summary>The message alone.</summary>
    public static ChatTemplate None { get; } = new("none", message => message);

    private static readonly ChatTemplate[] s_all =
    [
        None,
        // As Llama-3's own template writes one user message and opens the assistant's turn.
        new(
            "llama3",
            message =>
                $"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
                + $"{Trim(message)}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
        ),
        // Phi-3's form. The 2024 article sent it to Llama-3, whose tokenizer reads its marks as plain text: that is refused now.
        new("phi3", message => $"<|user|>\n{message} <|end|>\n<|assistant|>"),
    ];

    /// <summary>What must be one token each, or the model has not learnt it: all of the form <c>&lt;|name|&gt;</c>.</summary>
    public IReadOnlyList<string> Marks => field ??= [.. Mark().Matches(Apply("-")).Select(match => match.Value).Distinct()];

    /// <summary>Names of all templates.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_all.Select(template => template.Name)];

    /// <summary>The template of that name.</summary>
    /// <exception cref="EngineException">There is none; the message lists those there are.</exception>
    public static ChatTemplate Get(string name) =>
        Array.Find(s_all, template => template.Name == name)
        ?? throw new EngineException($"'{name}' is unknown; use {string.Join(", ", Names)}");

    // Some write the bar full-width.
    [GeneratedRegex("<[|｜][^<>|｜]+[|｜]>", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Mark();

    // As the template's "trim" does, for which the separators U+001C to U+001F are white space too.
    private static string Trim(string text)
    {
        int start = 0;
        int end = text.Length;
        while (start < end && IsSpace(text[start]))
        {
            start++;
        }

        while (end > start && IsSpace(text[end - 1]))
        {
            end--;
        }

        return text[start..end];
    }

    private static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\u001C' and <= '\u001F';
}
