using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Comparison;

/// <summary>The fields that runs may differ in; in all others their cases must match.</summary>
/// <param name="Names">What is compared: given, or the one found.</param>
/// <param name="Ignored">Those, and the fields that cannot stay the same when they change.</param>
internal sealed record VariedFields(IReadOnlyList<string> Names, IReadOnlySet<string> Ignored)
{
    /// <summary>What else changes when a field does, by its nature and not by accident.</summary>
    private static readonly Dictionary<string, string[]> s_consequences = new(StringComparer.Ordinal)
    {
        ["machine_id"] = ["os_build", "gpu_name", "gpu_driver_version", "device", "threads", "power_source"],
        ["gpu_name"] = ["device", "gpu_driver_version"],
        ["engine"] = ["genai_version", "engine_options"],
        ["provider"] = ["device", "model_sha256", "directml_version", "threads", "engine_options"],
        ["model_name"] = ["model_sha256", "weights", "hidden_size", "num_layers", "vocab_size", "prompt_sha256", "n_prompt"],
        ["precision"] = ["block_size", "model_sha256"],
        ["block_size"] = ["model_sha256"],
        ["prompt_id"] = ["prompt_sha256", "n_prompt"],
        ["chat_template"] = ["prompt_sha256", "n_prompt"],
    };

    /// <summary>The fields that were asked for.</summary>
    /// <exception cref="OptionException">A name is no key column; the message lists those there are.</exception>
    public static VariedFields Named(IReadOnlyList<string> names)
    {
        string[] known = [.. names.Select(name => SampleSchema.Key(name).Name).Distinct(StringComparer.Ordinal)];
        return new VariedFields(known, known.SelectMany(WithConsequences).ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>
    /// The fields that were asked for or, when none was, the one field that explains every difference between the runs.
    /// Cases that one run lacks while others match are missing, not varied.
    /// </summary>
    /// <param name="runs">The runs with their cases, the baseline first.</param>
    /// <param name="names">What was asked for.</param>
    /// <exception cref="RunFileException">The runs differ in more.</exception>
    public static VariedFields Resolve(IReadOnlyList<KeyedRun> runs, IReadOnlyList<string> names)
    {
        VariedFields asked = Named(names);
        string[] different = [.. Differences(runs, asked.Ignored).Distinct(StringComparer.Ordinal)];
        if (different.Length == 0)
        {
            return asked;
        }

        string[] causes = [.. different.Where(name => different.All(WithConsequences(name).Contains))];
        bool isFound = names.Count == 0 && causes.Length == 1;
        return isFound ? Named(causes) : throw new RunFileException(Refusal(runs, names, different));
    }

    private static IEnumerable<string> WithConsequences(string name) => [name, .. s_consequences.GetValueOrDefault(name) ?? []];

    private static IEnumerable<string> Differences(IReadOnlyList<KeyedRun> runs, IReadOnlySet<string> ignored) =>
        from run in runs.Skip(1)
        from name in run
            .Self.DifferencesTo(runs[0].Self)
            .Where(name => !ignored.Contains(name))
            .Concat(CaseDifferences(runs[0].Cases, run.Cases, ignored))
        select name;

    /// <summary>Between the cases of two runs when none matches: each is held against the one of the other run that is nearest.</summary>
    private static IEnumerable<string> CaseDifferences(KeyedCase[] baseline, KeyedCase[] other, IReadOnlySet<string> ignored)
    {
        HashSet<string> notOfCase = [.. KeyedCase.RunNames, .. ignored];
        HashSet<string> known = [.. baseline.Select(found => found.Without(notOfCase))];
        if (other.Any(candidate => known.Contains(candidate.Without(notOfCase))))
        {
            return [];
        }

        (KeyedCase[] few, KeyedCase[] many) = baseline.Length <= other.Length ? (baseline, other) : (other, baseline);
        return few.SelectMany(one =>
            many.Select(candidate => one.DifferencesTo(candidate).Where(name => !notOfCase.Contains(name)).ToArray())
                .MinBy(names => names.Length)
            ?? []
        );
    }

    private static string Refusal(IReadOnlyList<KeyedRun> runs, IReadOnlyList<string> asked, string[] different)
    {
        // What follows from another difference need not be named.
        string[] causes = [.. different.Where(name => !different.Any(other => other != name && WithConsequences(other).Contains(name)))];
        string list = string.Join(", ", different.Select(name => $"{name} ({string.Join(" | ", Values(runs, name))})"));
        string also = asked.Count > 0 ? $" besides {string.Join(", ", asked)}" : "";
        return $"the runs differ in {list}{also}; name what is compared with --vary {string.Join(',', asked.Concat(causes))}, or measure "
            + "again with the rest alike";
    }

    private static IEnumerable<string> Values(IReadOnlyList<KeyedRun> runs, string name)
    {
        const int Shown = 4;
        const int Longest = 24;
        IEnumerable<KeyedCase> holders = KeyedCase.RunNames.Contains(name)
            ? runs.Select(run => run.Self)
            : runs.SelectMany(run => run.Cases);
        string[] all = [.. holders.Select(holder => holder.Describe(name)).Distinct(StringComparer.Ordinal)];
        return all.Take(Shown).Select(text => text.Length > Longest ? text[..Longest] + "…" : text).Concat(all.Length > Shown ? ["…"] : []);
    }
}
