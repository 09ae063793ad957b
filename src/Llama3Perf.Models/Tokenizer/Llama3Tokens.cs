namespace Llama3Perf.Models.Tokenizer;

/// <summary>What is Llama 3's own about its tokenizer: special tokens, pre-tokenizer and chat template.</summary>
public static class Llama3Tokens
{
    /// <summary>Begins every sequence.</summary>
    public const string BeginOfText = "<|begin_of_text|>";

    /// <summary>Ends a document.</summary>
    public const string EndOfText = "<|end_of_text|>";

    /// <summary>Fills batches on the right.</summary>
    public const string FinetuneRightPad = "<|finetune_right_pad_id|>";

    /// <summary>Begins a chat message's role.</summary>
    public const string StartHeader = "<|start_header_id|>";

    /// <summary>Ends a chat message's role.</summary>
    public const string EndHeader = "<|end_header_id|>";

    /// <summary>Ends a message that calls a tool.</summary>
    public const string EndOfMessage = "<|eom_id|>";

    /// <summary>Ends a turn of a chat.</summary>
    public const string EndOfTurn = "<|eot_id|>";

    /// <summary>Begins a call of the code interpreter.</summary>
    public const string PythonTag = "<|python_tag|>";

    /// <summary>Splits text into pieces that BPE never merges across: a regular expression whose matches are the pieces.</summary>
    public const string PreTokenizerPattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The chat template in Jinja, as chat_template.jinja holds it.</summary>
    public const string ChatTemplate =
        "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
        + " + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

    /// <summary>The 256 special tokens in the order of their ids, which are the last of the vocabulary (Llama 3.1: from 128000).</summary>
    public static IReadOnlyList<string> Special { get; } =
    [
        BeginOfText,
        EndOfText,
        Reserved(0),
        Reserved(1),
        FinetuneRightPad,
        Reserved(2),
        StartHeader,
        EndHeader,
        EndOfMessage,
        EndOfTurn,
        PythonTag,
        .. Enumerable.Range(3, 245).Select(Reserved),
    ];

    private static string Reserved(int number) => $"<|reserved_special_token_{number}|>";
}
