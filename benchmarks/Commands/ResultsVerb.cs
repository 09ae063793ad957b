using System.CommandLine;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>What the verbs that read runs share.</summary>
internal static class ResultsVerb
{
    public static Argument<string[]> Runs(int least) =>
        new("run")
        {
            Description = "A run folder, a samples.csv, or a pattern such as baselines/*.",
            Arity = new ArgumentArity(least, 10_000),
            CustomParser = result => OptionFactory.Texts(result, "run"),
        };

    /// <summary>The runs behind several paths, in their order.</summary>
    public static IReadOnlyList<Run> Read(
        IEnumerable<string> paths,
        bool withTokens = false,
        IReadOnlyCollection<string>? metrics = null
    ) => RunReader.Read([.. paths], withTokens, metrics);

    /// <summary>A share given as <c>5%</c> or <c>0.05</c>.</summary>
    public static double Share(string text) =>
        text.EndsWith('%') ? OptionFactory.Number(0, 100)(text[..^1]) / 100 : OptionFactory.Number(0, 1)(text);

    /// <summary>The one run that a path stands for.</summary>
    public static Run ReadOne(string path, string option) =>
        RunReader.Read(path) is [var run] ? run : throw new RunFileException($"{option}: {path} stands for several runs; name one");
}
