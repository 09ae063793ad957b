using System.Globalization;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Results.Gate;

/// <summary>The gate's rule over machines and designs: how often it errs, and how often it does not know.</summary>
public sealed record SimulationGrid
{
    /// <summary>Launches and iterations a side.</summary>
    public IReadOnlyList<(int Launches, int Iterations)> Designs { get; init; } = [(3, 5), (5, 5), (10, 3)];

    /// <summary>Standard deviations between launches.</summary>
    public IReadOnlyList<double> BetweenSds { get; init; } = [0, 0.01, 0.02, 0.05, 0.10];

    /// <summary>Standard deviations between the iterations of a launch.</summary>
    public IReadOnlyList<double> WithinSds { get; init; } = [0.01, 0.05];

    /// <summary>Trials, seed, threshold, alpha and noise record of every cell.</summary>
    public SimulationOptions Options { get; init; } = new();

    /// <summary>Simulates every cell.</summary>
    /// <param name="progress">Told after each row how many of all are done; null tells nobody.</param>
    /// <exception cref="OptionException">An option is out of range.</exception>
    public TextTable Run(Action<int, int>? progress = null)
    {
        SimulationOptions[] cells =
        [
            .. from design in Designs
            from within in WithinSds
            from between in BetweenSds
            select Options with
            {
                Launches = design.Launches,
                Iterations = design.Iterations,
                BetweenSd = between,
                WithinSd = within,
            },
        ];
        List<IReadOnlyList<string>> rows = [];
        foreach (SimulationOptions cell in cells)
        {
            rows.Add(Row(cell));
            progress?.Invoke(rows.Count, cells.Length);
        }

        double threshold = Options.Threshold;
        return new TextTable(
            [
                new("launches x iterations", true),
                new("sd between", true),
                new("sd within", true),
                new("no change: red", true),
                new("pass", true),
                new("inconclusive", true),
                new($"lost {Share(threshold)}: pass", true),
                new("inconclusive", true),
                new($"lost {Share(2 * threshold)}: red", true),
                new("inconclusive", true),
            ],
            rows
        );
    }

    private static string[] Row(SimulationOptions cell)
    {
        SimulationResult same = GateSimulation.Run(cell);
        SimulationResult lost = GateSimulation.Run(cell with { Loss = cell.Threshold });
        SimulationResult twice = GateSimulation.Run(cell with { Loss = 2 * cell.Threshold });
        return
        [
            $"{cell.Launches} x {cell.Iterations}",
            Share(cell.BetweenSd),
            Share(cell.WithinSd),
            Rate(same.Red),
            Rate(same.Passed),
            Rate(same.Inconclusive),
            Rate(lost.Passed),
            Rate(lost.Inconclusive),
            Rate(twice.Red),
            Rate(twice.Inconclusive),
        ];
    }

    private static string Share(double part) => ComparisonTable.Percent(part);

    private static string Rate(double part) => (part * 100).ToString("0.00", CultureInfo.InvariantCulture) + " %";
}
