using System.Globalization;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// How long a launch measures at least where nobody said how many generations: five of a small model are over in a few milliseconds, and
/// what a machine does to them is told by chance. Goes to the measuring processes in their environment.
/// </summary>
internal static class LeastMeasured
{
    /// <summary>Environment variable with the time, ms.</summary>
    public const string Variable = "LLAMA3PERF_LEAST_MEASURED_MS";

    // Lines of a launch stay a few megabytes.
    private const int MostIterations = 200;

    /// <summary>The variable's text for a run.</summary>
    public static string Of(SuiteOptions options) => options.LeastMeasured.TotalMilliseconds.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Generations of a launch that take so long each, ms.</summary>
    public static int Iterations(SuiteOptions options, double generationMs) =>
        (int)
            Math.Clamp(
                Math.Ceiling(options.LeastMeasured.TotalMilliseconds / Math.Max(generationMs, 1e-3)),
                options.Iterations,
                Most(options.Iterations)
            );

    /// <summary>Whether a launch of this process has measured enough.</summary>
    /// <param name="wanted">Generations that are measured in any case.</param>
    /// <param name="count">Generations so far.</param>
    /// <param name="measuredMs">Their time.</param>
    public static bool IsReached(int wanted, int count, double measuredMs) =>
        count >= wanted && (count >= Most(wanted) || measuredMs >= Ms);

    private static int Most(int wanted) => Math.Max(wanted, MostIterations);

    private static double Ms =>
        double.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.Float, CultureInfo.InvariantCulture, out double ms)
            ? ms
            : 0;
}
