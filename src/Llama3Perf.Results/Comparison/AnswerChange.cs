using System.Globalization;

namespace Llama3Perf.Results.Comparison;

/// <summary>What the sides of a case answered: a change of speed is worth nothing where the answer changed too.</summary>
internal static class AnswerChange
{
    private static readonly string[] s_question = ["model_sha256", "prompt_sha256", "max_length"];

    /// <summary>Tokens that no side before gave, where model folder, prompt and length are known to be the same.</summary>
    /// <param name="before">The case on the sides that it is held against.</param>
    /// <param name="after">The case.</param>
    /// <param name="same">Further keys that must be known and the same.</param>
    public static string? Tokens(IEnumerable<KeyedCase> before, KeyedCase after, params string[] same)
    {
        string[] keys = [.. s_question, .. same];
        KeyedCase[] alike = [.. before.Where(found => keys.All(name => found[name] is { } text && text == after[name]))];
        string[] old = [.. alike.SelectMany(Outputs).Distinct(StringComparer.Ordinal)];
        string[] other = [.. Outputs(after).Except(old, StringComparer.Ordinal)];
        return old.Length == 0 || other.Length == 0 ? null : $"{Short(old)} became {Short(other)}";
    }

    /// <summary>A divergence beyond what was tolerated on any of the sides, or was asked for.</summary>
    public static string? Divergence(IEnumerable<KeyedCase> before, KeyedCase after, double? limit = null)
    {
        double? tolerated = limit ?? before.Append(after).Min(found => found.Outcome.Verification.KlLimitNats);
        return after.Outcome.Verification.KlNats is { } kl && kl > tolerated
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the answers' KL divergence from the reference is {kl:0.#########} nats, the limit is {tolerated:0.#########}"
            )
            : null;
    }

    private static IEnumerable<string> Outputs(KeyedCase found) =>
        found.Outcome.Samples.Select(sample => sample.OutputSha256).OfType<string>().Distinct(StringComparer.Ordinal);

    private static string Short(string[] hashes) =>
        string.Join(" or ", hashes.Take(3).Select(hash => hash.Length > 12 ? hash[..12] : hash));
}
