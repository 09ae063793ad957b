using System.Text.RegularExpressions;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>One step of a pre-tokenizer.</summary>
/// <param name="Pattern">Its matches become pieces; null when the step splits nothing.</param>
/// <param name="DropRest">True when what lies between matches is dropped instead of being a piece too.</param>
/// <param name="PrefixSpace">True to put a space before each piece that does not begin with one, ahead of splitting.</param>
internal sealed record SplitStep(string? Pattern, bool DropRest = false, bool PrefixSpace = false);

/// <summary>Cuts a text into the pieces that are merged on their own, as the steps of a pre-tokenizer say, one after the other.</summary>
internal sealed class PieceSplitter
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Step[] _steps;

    /// <summary>Compiles the patterns.</summary>
    /// <exception cref="ArgumentException">A pattern is no regular expression that .NET reads.</exception>
    public PieceSplitter(IEnumerable<SplitStep> steps) =>
        _steps = [.. steps.Where(step => step.Pattern is not null || step.PrefixSpace).Select(step => new Step(step, Compile(step.Pattern), FoldsCase(step.Pattern)))];

    /// <summary>Takes a piece.</summary>
    public delegate void Sink(ReadOnlySpan<char> piece);

    /// <summary>Hands over the pieces of a text without lone surrogates, in order, none of them empty.</summary>
    /// <exception cref="EngineException">A pattern takes longer than half a minute.</exception>
    public void Split(ReadOnlySpan<char> text, Sink sink)
    {
        try
        {
            Split(text, 0, sink);
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new EngineException($"the tokenizer's pattern '{exception.Pattern.ReplaceLineEndings(" ")}' takes too long on this prompt; use a shorter one", exception);
        }
    }

    private static Regex? Compile(string? pattern) =>
        pattern is null ? null : new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, s_patience);

    private static bool FoldsCase(string? pattern) => pattern?.Contains("(?i", StringComparison.Ordinal) ?? false;

    private void Split(ReadOnlySpan<char> text, int index, Sink sink)
    {
        if (text.IsEmpty)
        {
            return;
        }

        if (index == _steps.Length)
        {
            sink(text);
            return;
        }

        Step step = _steps[index];
        ReadOnlySpan<char> prefixed = step.Rule.PrefixSpace && text[0] != ' ' ? $" {text}" : text;
        if (step.Pattern is null)
        {
            Split(prefixed, index + 1, sink);
            return;
        }

        Match(prefixed, step, index + 1, sink);
    }

    private void Match(ReadOnlySpan<char> text, Step step, int next, Sink sink)
    {
        CategoryShape shape = CategoryShape.Of(text, step.FoldsCase);
        int done = 0;
        foreach (ValueMatch match in step.Pattern!.EnumerateMatches(shape.Text))
        {
            int start = shape.Place(match.Index);
            int end = shape.Place(match.Index + match.Length);
            Split(step.Rule.DropRest ? [] : text[done..start], next, sink);
            Split(text[start..end], next, sink);
            done = end;
        }

        Split(step.Rule.DropRest ? [] : text[done..], next, sink);
    }

    private sealed record Step(SplitStep Rule, Regex? Pattern, bool FoldsCase);
}
