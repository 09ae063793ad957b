using System.Globalization;
using Llama3Perf.Models;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>Shows what an inspection found: facts, weights, providers, problems.</summary>
internal static class InspectionDisplay
{
    /// <param name="inspection">What was found.</param>
    /// <param name="gigabytesPerSecond">Memory bandwidth for the decode ceiling.</param>
    /// <param name="tokenizerProblem">Why the suite's tokenizer does not read tokenizer.json, or null.</param>
    public static void Show(FolderInspection inspection, double gigabytesPerSecond, string? tokenizerProblem)
    {
        Screen.Table(new TextTable([new("property", false), new("value", false)], [.. Facts(inspection, gigabytesPerSecond)]));
        Screen.Table(
            new TextTable(
                [new("weights", false), new("storage", false), new("parameters", true), new("bytes", true)],
                [
                    .. inspection.Weights.Select(weights =>
                        (string[])[Name(weights.Class), weights.Storage, Count(weights.Parameters), Count(weights.Bytes)]
                    ),
                    ["together", "", Count(inspection.ParameterCount), Count(inspection.Weights.Sum(weights => weights.Bytes))],
                ]
            )
        );
        Screen.Table(
            new TextTable(
                [new("provider", false), new("suits", false), new("because", false)],
                [.. inspection.Providers.Select(fit => (string[])[Name(fit.Provider), fit.Suits ? "yes" : "no", fit.Reason ?? ""])]
            )
        );
        ShowProblems([.. inspection.Problems, .. tokenizerProblem is { } problem ? [problem] : Array.Empty<string>()]);
    }

    public static void ShowProblems(IReadOnlyList<string> problems)
    {
        Console.WriteLine(problems.Count == 0 ? "No problems found." : "Problems:");
        foreach (string problem in problems)
        {
            Console.WriteLine($"- {problem}");
        }
    }

    /// <summary>A number with a space every three digits, as SI writes large ones.</summary>
    public static string Count(long number) => number.ToString("N0", s_spaced);

    private static IEnumerable<string[]> Facts(FolderInspection inspection, double gigabytesPerSecond)
    {
        ModelFolder folder = inspection.Folder;
        double ceiling = inspection.DecodeCeiling(gigabytesPerSecond * 1e9);
        yield return ["name", folder.Name];
        yield return ["weights", folder.IsSynthetic ? "synthetic: the speed is real, the text is noise" : "real"];
        yield return ["architecture", inspection.Architecture];
        yield return ["layers", $"{folder.LayerCount} of {folder.HiddenSize}, MLP {inspection.IntermediateSize}"];
        yield return ["heads", $"{folder.HeadCount} query, {folder.KeyValueHeadCount} key and value, each of {folder.HeadSize}"];
        yield return ["vocabulary", $"{folder.VocabularySize}, embedding {(inspection.IsTied ? "tied to the LM head" : "of its own")}"];
        yield return ["context", Count(folder.ContextLength)];
        yield return ["biases", inspection.HasBiases ? "yes" : "none"];
        yield return ["parameters", Count(inspection.ParameterCount)];
        yield return ["graph", $"{Name(folder.Family)} form, {inspection.Activations} activations, {inspection.Cache} KV cache"];
        yield return
        [
            "read for each token",
            $"{Count(inspection.WeightBytesPerToken)} bytes of weights, and {Count(inspection.CacheBytesPerToken)} for each token before "
                + "it",
        ];
        yield return
        [
            "decode ceiling",
            string.Create(CultureInfo.InvariantCulture, $"at {gigabytesPerSecond:0.###} GB/s: {ceiling:0.#} tok/s"),
        ];
        yield return ["KV cache", $"{Count(inspection.CacheBytes)} bytes at full context"];
        yield return
        [
            "external data",
            $"{Count(inspection.ExternalBytes)} bytes, {Count(inspection.UnusedBytes)} of them unused (padding included)",
        ];
    }

    private static string Name(WeightClass kind) =>
        kind switch
        {
            WeightClass.Embedding => "embedding",
            WeightClass.Attention => "attention",
            WeightClass.Mlp => "MLP",
            WeightClass.LmHead => "LM head",
            WeightClass.Norms => "norms",
            WeightClass.RotaryCaches => "rotary caches",
            _ => "other",
        };

    private static string Name(GraphFamily family) =>
        family switch
        {
            GraphFamily.DirectML => "DirectML",
            GraphFamily.Growing => "growing cache",
            _ => "standard",
        };

    private static string Name(GraphTarget provider) => provider == GraphTarget.DirectML ? "dml" : provider.Name();

    private static readonly NumberFormatInfo s_spaced = new() { NumberGroupSeparator = " " };
}
