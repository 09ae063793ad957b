using System.Text.Json;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>The token ids that a tokenizer puts around every text: mostly BOS in front, or nothing.</summary>
/// <param name="Before">In front of the text.</param>
/// <param name="After">Behind it.</param>
internal sealed record TokenFrame(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    private static readonly TokenFrame s_none = new([], []);

    /// <summary>What the <c>post_processor</c> of a tokenizer.json adds to a single text.</summary>
    /// <exception cref="FormatException">It is broken.</exception>
    /// <exception cref="NotSupportedException">It is of a kind that is not known here.</exception>
    public static TokenFrame Read(JsonElement? postProcessor)
    {
        if (postProcessor is not { } processor)
        {
            return s_none;
        }

        return processor.Text("type") switch
        {
            "ByteLevel" => s_none,
            "TemplateProcessing" => Template(processor),
            "BertProcessing" or "RobertaProcessing" => new TokenFrame([Pair(processor, "cls")], [Pair(processor, "sep")]),
            "Sequence" => processor
                .Member("processors", JsonValueKind.Array)
                .EnumerateArray()
                .Aggregate(s_none, (inner, outer) => Read(outer).Around(inner)),
            var other => throw new NotSupportedException($"has a {other} post-processor"),
        };
    }

    /// <summary>The ids with the frame around them.</summary>
    public IEnumerable<int> Around(IEnumerable<int> ids) => [.. Before, .. ids, .. After];

    private TokenFrame Around(TokenFrame inner) => new([.. Before, .. inner.Before], [.. inner.After, .. After]);

    private static TokenFrame Template(JsonElement processor)
    {
        JsonElement[] pieces = [.. processor.Member("single", JsonValueKind.Array).EnumerateArray()];
        int text = Array.FindIndex(pieces, piece => piece.Optional("Sequence") is not null);
        if (text < 0 || Array.FindLastIndex(pieces, piece => piece.Optional("Sequence") is not null) != text)
        {
            throw new FormatException("the template of its post_processor does not hold the text exactly once");
        }

        return new TokenFrame([.. pieces[..text].SelectMany(Ids)], [.. pieces[(text + 1)..].SelectMany(Ids)]);

        IEnumerable<int> Ids(JsonElement piece)
        {
            string name = piece.Member("SpecialToken", JsonValueKind.Object).Member("id", JsonValueKind.String).GetString()!;
            return processor
                .Member("special_tokens", JsonValueKind.Object)
                .Member(name, JsonValueKind.Object)
                .Member("ids", JsonValueKind.Array)
                .EnumerateArray()
                .Select(id => id.TokenId());
        }
    }

    // ["[CLS]", 101]
    private static int Pair(JsonElement processor, string name)
    {
        JsonElement pair = processor.Member(name, JsonValueKind.Array);
        return pair.GetArrayLength() == 2 ? pair[1].TokenId() : throw new FormatException($"'{name}' is no pair of a token and its id");
    }
}
