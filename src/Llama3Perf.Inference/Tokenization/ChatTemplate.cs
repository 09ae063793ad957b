namespace Llama3Perf.Inference.Tokenization;

/// <summary>Text around a user's message that tells a chat model whose turn it is.</summary>
/// <param name="Name">Name on the command line and in results.</param>
/// <param name="Apply">Wraps a message.</param>
public sealed record ChatTemplate(string Name, Func<string, string> Apply)
{
    private static readonly ChatTemplate[] s_all =
    [
        new("none", message => message),

        // As Llama-3's own template writes one user message and opens the assistant's turn.
        new("llama3", message =>
            $"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{Trim(message)}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"),

        // What the 2024 article sent to Llama-3: Phi-3's form, whose marks are plain text to Llama-3's tokenizer.
        new("phi3", message => $"<|user|>\n{message} <|end|>\n<|assistant|>"),
    ];

    /// <summary>Names of all templates.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_all.Select(template => template.Name)];

    /// <summary>The template of that name.</summary>
    /// <exception cref="EngineException">There is none; the message lists those there are.</exception>
    public static ChatTemplate Get(string name) => Array.Find(s_all, template => template.Name == name)
        ?? throw new EngineException($"'{name}' is unknown; use {string.Join(", ", Names)}");

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
