using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>A model folder on an engine and a provider: one side of a verification.</summary>
internal sealed record VerifiedSide(ModelFolder Folder, string Engine, EngineOptions Options)
{
    public string Name => $"{Folder.Name} on {Engine}/{Options.Provider.ShownName()}";

    /// <summary>Loads the model so that it may choose any token.</summary>
    public IEngine Load()
    {
        EngineKind kind = EngineCatalog.Get(Engine);
        return kind.Availability(Options.Provider) is { IsAvailable: false } missing
            ? throw new EngineException(missing.Reason!)
            : kind.Load(Folder, Options with { AllowEos = true });
    }
}

/// <summary>Holds a model's answers against a reference file's, or against another folder, engine or provider.</summary>
internal static class ModelVerifier
{
    /// <summary>Prompts of a verification against another side.</summary>
    public static IReadOnlyList<string> Prompts { get; } = ["OpenVINO is", "pp32", "pp128"];

    /// <summary>The reference's answers. Its model is unloaded before this returns: two at once may not fit into memory.</summary>
    public static Reference Answers(VerifiedSide reference, VerifiedSide tested, IEnumerable<string> prompts)
    {
        PromptTokenizer tokenizer = PromptTokenizer.For(tested.Folder);
        TokenizedPrompt[] tokens = [.. prompts.Select(prompt => tokenizer.Tokenize(Prompt.Parse(prompt), PromptForm.Plain))];
        int context = Math.Min(reference.Folder.ContextLength, tested.Folder.ContextLength);
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

        using IEngine engine = reference.Load();
        return Reference.Of(engine, reference.Name, tokens, reference.Folder.EosTokenIds);
    }

    /// <summary>The usual limits of a side against another, or against a file when there is none.</summary>
    public static VerificationLimits Limits(VerifiedSide tested, VerifiedSide? other) =>
        VerificationLimits.For(
            tested.Folder.Precision,
            sameWeights: other is not null
                && (other.Folder.Precision, other.Folder.BlockSize) == (tested.Folder.Precision, tested.Folder.BlockSize)
        );

    public static ModelVerification Verify(VerifiedSide tested, Reference reference, VerificationLimits limits)
    {
        using IEngine engine = tested.Load();
        return ModelVerification.Of(engine, tested.Folder, reference, limits);
    }
}
