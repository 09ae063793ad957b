using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Holds a model's answers against a reference file's, or against another folder, engine or provider.</summary>
internal static class ModelVerifier
{
    private static readonly int[] s_lengths = [15, 64];

    /// <summary>
    /// Prompts of a verification when none are given: two lengths, one of them odd, of fixed pseudo-random tokens, so that no tokenizer is
    /// needed; shorter ones where the context is.
    /// </summary>
    public static IReadOnlyList<string> Prompts(ModelFolder folder) =>
        [
            .. s_lengths
                .Select(length => Math.Min(length, folder.ContextLength - Reference.NewTokens))
                .Where(length => length > 0)
                .Distinct()
                .Select(length => $"pp{length}"),
        ];

    /// <summary>The reference's answers. Its model is unloaded before this returns: two at once may not fit into memory.</summary>
    /// <exception cref="EngineException">The sides are different models, the prompts do not fit, or the reference fails.</exception>
    public static Reference Answers(VerifiedSide reference, VerifiedSide tested, IEnumerable<string> prompts)
    {
        PromptTokenizer tokenizer = PromptTokenizer.For(tested.Folder);
        TokenizedPrompt[] tokens = [.. prompts.Select(prompt => tokenizer.Tokenize(Prompt.Parse(prompt), PromptForm.Plain))];
        int context = Math.Min(reference.Folder.ContextLength, tested.Folder.ContextLength);
        if (tokens.Length == 0)
        {
            throw new EngineException($"the context of {context} leaves no room for {Reference.NewTokens} new tokens");
        }

        if (tokens.FirstOrDefault(prompt => prompt.TokenIds.Length + Reference.NewTokens > context) is { } longest)
        {
            throw new EngineException(
                $"the prompt '{longest.Id}' and {Reference.NewTokens} new tokens do not fit into the context of {context}; give shorter "
                    + "ones with --prompt"
            );
        }

        if (reference.Folder.VocabularySize != tested.Folder.VocabularySize)
        {
            throw new EngineException(
                $"{reference.Folder.Path} and {tested.Folder.Path} have vocabularies of {reference.Folder.VocabularySize} and "
                    + $"{tested.Folder.VocabularySize} tokens: they are different models"
            );
        }

        using CountProgress progress = CountProgress.Begin($"answers of {reference.Name}", tokens.Length * Reference.NewTokens);
        using IEngine engine = reference.Load();
        return Reference.Of(engine, reference.Name, tokens, reference.Folder.EosTokenIds, onToken: progress.Step);
    }

    /// <summary>The reference's answers, kept from run to run: neither the model nor the library that computes them has changed.</summary>
    /// <param name="reference">The reference; <c>ort</c> on the CPU.</param>
    /// <param name="sha256">Of the folder.</param>
    /// <param name="store">Where they are kept.</param>
    public static Reference KeptAnswers(VerifiedSide reference, string sha256, ReferenceStore store)
    {
        // What is kept is that library's; before it is loaded nobody knows which one it is.
        NativeLibraries.RequireOnnxRuntime();
        string library = NativeLibraries.Loaded().FirstOrDefault(loaded => loaded.Name == "onnxruntime")?.Version ?? "unknown";
        string kind = reference.Options.FloatActivations ? "float" : "own";
        string prompts = string.Concat(Prompts(reference.Folder));
        string key = $"{sha256}-{reference.Engine}-{library}-{kind}-{prompts}-{Reference.NewTokens}";
        if (store.Find(key) is { } kept)
        {
            return kept with { Source = reference.Name };
        }

        Reference answers = Answers(reference, reference, Prompts(reference.Folder));
        store.Keep(key, answers);
        return answers;
    }

    /// <summary>Lets a side answer a reference's prompts.</summary>
    /// <exception cref="EngineException">The engine fails other than by its numbers.</exception>
    public static ModelVerification Verify(VerifiedSide tested, Reference reference, VerificationLimits limits)
    {
        using CountProgress progress = CountProgress.Begin(
            $"answers of {tested.Name}",
            reference.Cases.Sum(known => known.GreedyTokens.Length)
        );
        using IEngine engine = tested.Load();
        return ModelVerification.Of(engine, tested.Folder, reference, limits, progress.Step);
    }
}
