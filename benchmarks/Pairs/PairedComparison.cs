using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Benchmarks.Pairs;

/// <summary>
/// Two ways of doing the same generation, timed in turn in one process, in the blocks of <see cref="BlockOrder"/>. A machine that drifts
/// drifts for both, so the ratio of each pair means something where two separate runs would not.
/// </summary>
internal static class PairedComparison
{
    // ONNX Runtime's worker threads spin for a while after a run; the other side should not pay for it.
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(50);

    private const string Ttft = "TTFT, ms";

    /// <summary>The figures that are compared, each as a rate: a ratio above 1 means that A is faster.</summary>
    public static IReadOnlyList<(string Name, Func<GenerationResult, double> Rate)> Figures { get; } =
    [
        (Ttft, result => 1000 / result.TtftMs),
        ("prefill, tok/s", result => result.PrefillTps),
        ("decode, tok/s", result => result.DecodeTps ?? double.NaN),
        ("end to end, tok/s", result => result.EndToEndTps),
    ];

    public static IReadOnlyList<GenerationPair> Run(string prompt, Func<GenerationResult> a, Func<GenerationResult> b, int pairs)
    {
        a();
        b();
        List<GenerationPair> results = [];
        BlockOrder order = new(seed: 1);
        while (results.Count < pairs)
        {
            foreach (bool aFirst in order.Next().Where((_, i) => i % 2 == 0).Take(pairs - results.Count))
            {
                GenerationResult first = Settled(aFirst ? a : b);
                GenerationResult second = Settled(aFirst ? b : a);
                results.Add(aFirst ? new(prompt, [first], [second]) : new(prompt, [second], [first]));
            }
        }

        return results;
    }

    /// <summary>Prints the comparison: rates of both sides, and the ratios pair by pair.</summary>
    public static void Show(string a, string b, IReadOnlyList<GenerationPair> results) =>
        Screen.Table(
            new TextTable(
                [
                    new("prompt", false),
                    new("figure", false),
                    new(a, true),
                    new(b, true),
                    new($"{a} / {b}", true),
                    new("lowest", true),
                    new("highest", true),
                ],
                [
                    .. from prompt in results.GroupBy(result => result.Prompt)
                    from figure in Figures.Select(figure => Summarize(figure.Name, figure.Rate, [.. prompt]))
                    select (string[])
                        [
                            prompt.Key,
                            figure.Name,
                            Shown(figure.Name, figure.MedianA),
                            Shown(figure.Name, figure.MedianB),
                            Figure.Text(figure.MedianRatio),
                            Figure.Text(figure.LowestRatio),
                            Figure.Text(figure.HighestRatio),
                        ],
                ]
            )
        );

    // Compared as a rate like the others, and shown as the time that people know it by.
    private static string Shown(string name, double rate) => Figure.Text(name == Ttft ? 1000 / rate : rate);

    private static GenerationResult Settled(Func<GenerationResult> run)
    {
        Thread.Sleep(s_settle);
        return run();
    }

    private static PairedFigure Summarize(string name, Func<GenerationResult, double> rate, GenerationPair[] pairs)
    {
        double[] ratios = [.. pairs.Select(pair => pair.Ratio(rate)).Order()];
        return new PairedFigure(
            name,
            pairs.Select(pair => pair.RateOfA(rate)).Median(),
            pairs.Select(pair => pair.RateOfB(rate)).Median(),
            ratios.Median(),
            ratios[0],
            ratios[^1]
        );
    }
}

/// <summary>What both sides gave in one pair; the rate of each is the median of its generations.</summary>
internal sealed record GenerationPair(string Prompt, IReadOnlyList<GenerationResult> A, IReadOnlyList<GenerationResult> B)
{
    public double Ratio(Func<GenerationResult, double> rate) => RateOfA(rate) / RateOfB(rate);

    public double RateOfA(Func<GenerationResult, double> rate) => A.Select(rate).Median();

    public double RateOfB(Func<GenerationResult, double> rate) => B.Select(rate).Median();
}

/// <summary>One figure of a paired comparison: the medians of both sides, and the ratios A/B pair by pair.</summary>
internal sealed record PairedFigure(
    string Name,
    double MedianA,
    double MedianB,
    double MedianRatio,
    double LowestRatio,
    double HighestRatio
);
