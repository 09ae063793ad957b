using System.Text.Json;
using System.Text.RegularExpressions;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>Reads the <c>pre_tokenizer</c> of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    // GPT-2's, which ByteLevel uses unless use_regex is false.
    private const string ByteLevelPattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The steps, in order.</summary>
    /// <exception cref="NotSupportedException">It is no byte-level pre-tokenizer, or has a step that is not read here.</exception>
    /// <exception cref="FormatException">It is broken.</exception>
    public static IReadOnlyList<SplitStep> Read(JsonElement root)
    {
        JsonElement[] steps = root.Optional("pre_tokenizer") is { } preTokenizer ? [.. Flatten(preTokenizer)] : [];
        string[] types = [.. steps.Select(step => step.Member("type", JsonValueKind.String).GetString()!)];
        if (types is not [.., "ByteLevel"])
        {
            // Whatever follows ByteLevel would see bytes written as characters, not text.
            throw new NotSupportedException(
                types.Length == 0 ? "is not a byte-level tokenizer (it has no pre_tokenizer)"
                : types.Contains("Metaspace", StringComparer.Ordinal) ? "is a SentencePiece-style tokenizer (Metaspace)"
                : $"is not a byte-level tokenizer (its pre_tokenizer is {string.Join(", ", types)})");
        }

        return [.. steps.Zip(types, Step)];
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement step) => step.Text("type") == "Sequence"
        ? step.Member("pretokenizers", JsonValueKind.Array).EnumerateArray().SelectMany(Flatten)
        : [step];

    private static SplitStep Step(JsonElement step, string type) => type switch
    {
        "ByteLevel" => new SplitStep(step.Flag("use_regex", absent: true) ? ByteLevelPattern : null, PrefixSpace: step.Flag("add_prefix_space")),
        "Split" => Split(step),
        "Digits" => new SplitStep(step.Flag("individual_digits") ? @"\p{N}" : @"\p{N}+"),
        _ => throw new NotSupportedException($"has a {type} pre-tokenizer"),
    };

    private static SplitStep Split(JsonElement step)
    {
        JsonElement pattern = step.Member("pattern", JsonValueKind.Object);
        string expression = pattern.Text("Regex") ?? Regex.Escape(pattern.Member("String", JsonValueKind.String).GetString()!);
        if (expression.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            throw new NotSupportedException("splits by a pattern with characters beyond U+FFFF");
        }

        // Matches that are removed, inverted, are the pieces; what is between them is removed instead.
        return (step.Member("behavior", JsonValueKind.String).GetString(), step.Flag("invert")) switch
        {
            ("Isolated", _) => new SplitStep(expression),
            ("Removed", true) => new SplitStep(expression, DropRest: true),
            (var behavior, _) => throw new NotSupportedException($"has a Split pre-tokenizer of behavior {behavior}"),
        };
    }
}
