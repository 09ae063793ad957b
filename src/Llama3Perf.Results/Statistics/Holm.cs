namespace Llama3Perf.Results.Statistics;

/// <summary>Holm's step-down correction (1979): the chance of even one false alarm stays below alpha, whatever the tests share.</summary>
internal static class Holm
{
    /// <summary>Adjusted p-values in the order given; compare each with alpha.</summary>
    public static double[] Adjust(IReadOnlyList<double> p)
    {
        int[] ascending = [.. Enumerable.Range(0, p.Count).OrderBy(i => p[i])];
        double[] adjusted = new double[p.Count];
        double largest = 0;
        for (int rank = 0; rank < ascending.Length; rank++)
        {
            largest = Math.Max(largest, Math.Min(1, p[ascending[rank]] * (p.Count - rank)));
            adjusted[ascending[rank]] = largest;
        }

        return adjusted;
    }
}
