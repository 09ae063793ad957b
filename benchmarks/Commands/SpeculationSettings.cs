using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>The options of what genai offers beside plain decoding.</summary>
internal sealed class SpeculationSettings
{
    private readonly Option<string?> _draftModel = OptionFactory.Value(
        "--draft-model",
        "Speculative decoding in genai: a smaller model of the same tokenizer (shape, checkpoint or folder) proposes tokens, and the model "
            + "checks them in one call.",
        OptionFactory.Model,
        "name|path"
    );

    private readonly Option<int?> _draftTokens = OptionFactory.Value<int?>(
        "--draft-tokens",
        $"Most tokens that are proposed at once, 1 to 16. Default: {new SuiteOptions().DraftTokens}.",
        text => OptionFactory.Integer(1, 16)(text),
        "n"
    );

    private readonly Option<int?> _ngram = OptionFactory.Value<int?>(
        "--ngram",
        "Speculative decoding in genai without a draft model: the last tokens, up to n - 1 of them, are looked up in the sequence so far.",
        text => OptionFactory.Integer(2, 16)(text),
        "n"
    );

    private readonly Option<int?> _prefillChunk = OptionFactory.Value<int?>(
        "--prefill-chunk",
        "Prompt tokens that genai processes at once. Default: the whole prompt.",
        text => OptionFactory.Integer(1, 1_000_000)(text),
        "n"
    );

    /// <summary>In the order of the verb's help.</summary>
    public Option[] All => [_draftModel, _draftTokens, _ngram, _prefillChunk];

    /// <summary>What was given, over what a verb begins with.</summary>
    /// <exception cref="UsageException">Two of them contradict each other.</exception>
    public SuiteOptions Over(SuiteOptions basis, ParseResult parsed)
    {
        if (parsed.GetValue(_draftModel) is not null && parsed.GetValue(_ngram) is not null)
        {
            throw new UsageException("--ngram: a draft model proposes already; give --draft-model or --ngram");
        }

        return basis with
        {
            DraftModel = parsed.GetValue(_draftModel),
            Ngram = parsed.GetValue(_ngram),
            DraftTokens = parsed.GetValue(_draftTokens) ?? basis.DraftTokens,
            PrefillChunk = parsed.GetValue(_prefillChunk),
        };
    }
}
