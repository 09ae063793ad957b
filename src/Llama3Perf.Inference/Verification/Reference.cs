using System.Text.Json;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Inference.Verification;

/// <summary>What a model should answer: from a file that another implementation wrote, or from another engine, provider or
/// folder.</summary>
/// <param name="Source">Where it comes from, for people.</param>
/// <param name="Cases">One for each prompt.</param>
public sealed record Reference(string Source, IReadOnlyList<ReferenceCase> Cases)
{
    /// <summary>New tokens that an engine's reference has for each prompt.</summary>
    public const int NewTokens = 32;

    /// <summary>Reads a reference.json: <c>cases</c>, each with <c>prompt</c>, <c>input_ids</c>, <c>last_logits</c> and
    /// <c>greedy_new_tokens</c>.</summary>
    /// <exception cref="EngineException">The file cannot be read or has another form.</exception>
    public static Reference Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(InputFile.ReadBytes(path, InputFile.MaxJsonBytes, "is not JSON"));
            ReferenceCase[] cases = [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(ReadCase)];
            return cases.Length > 0 ? new Reference(Path.GetFileName(path), cases) : throw new EngineException($"{path} has no cases");
        }
        catch (Exception exception)
            when (exception
                    is JsonException
                        or ModelException
                        or KeyNotFoundException
                        or InvalidOperationException
                        or FormatException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            throw new EngineException(
                $"{path} is no reference that can be read (cases of prompt, input_ids, last_logits and greedy_new_tokens): "
                    + $"{exception.Message.OneLine()}",
                exception
            );
        }
    }

    /// <summary>Lets a loaded engine answer. It must be allowed EOS tokens: the reference is the plain choice of the highest
    /// logit.</summary>
    /// <exception cref="EngineException">The engine failed, or gives NaN.</exception>
    public static Reference Of(
        IEngine engine,
        string source,
        IEnumerable<TokenizedPrompt> prompts,
        IReadOnlyList<int> eosTokens,
        int newTokens = NewTokens,
        Action? onToken = null
    ) => new(source, [.. prompts.Select(prompt => Answer(engine, prompt, eosTokens, newTokens, onToken))]);

    private static ReferenceCase Answer(
        IEngine engine,
        TokenizedPrompt prompt,
        IReadOnlyList<int> eosTokens,
        int newTokens,
        Action? onToken
    )
    {
        GreedyRun run = new(engine, prompt.TokenIds, newTokens, eosTokens);
        run.Start([]);
        float[] promptLogits = engine.LastLogits();
        List<int> tokens = [];
        List<float[]> logits = [];
        while (tokens.Count < newTokens)
        {
            tokens.Add(run.Next());
            logits.Add(engine.LastLogits());
            onToken?.Invoke();
            run.Continue(tokens);
        }

        return new ReferenceCase(prompt.Id, prompt.TokenIds, promptLogits, [.. tokens], logits);
    }

    private static ReferenceCase ReadCase(JsonElement json)
    {
        string text = json.GetProperty("prompt").GetString() ?? "";
        ReferenceCase read = new(
            Prompt.OfText(text).Id,
            [.. json.GetProperty("input_ids").EnumerateArray().Select(id => id.GetInt32())],
            [.. json.GetProperty("last_logits").EnumerateArray().Select(logit => logit.GetSingle())],
            [.. json.GetProperty("greedy_new_tokens").EnumerateArray().Select(id => id.GetInt32())],
            StepLogits: null
        );
        return read.InputIds.Length > 0 && read.LastLogits.Length > 0
            ? read
            : throw new FormatException($"the case '{read.Prompt}' has no input_ids or no last_logits");
    }
}

/// <summary>The answer to one prompt.</summary>
/// <param name="Prompt">Short name for tables.</param>
/// <param name="InputIds">Token ids, BOS included.</param>
/// <param name="LastLogits">Logits after the prompt, [vocabulary].</param>
/// <param name="GreedyTokens">The tokens that follow when the highest logit is always taken, EOS tokens among them.</param>
/// <param name="StepLogits">The logits that each of them was picked from; null where the reference does not tell.</param>
public sealed record ReferenceCase(
    string Prompt,
    int[] InputIds,
    float[] LastLogits,
    int[] GreedyTokens,
    IReadOnlyList<float[]>? StepLogits
)
{
    /// <summary>The logits that a token was picked from, or null: the first one's are those after the prompt.</summary>
    internal float[]? LogitsOf(int step) => StepLogits?[step] ?? (step == 0 ? LastLogits : null);
}
