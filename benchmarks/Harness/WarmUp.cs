namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// Decides when a warm-up is over: nothing changes any more. The last generation compiled no method and collected no garbage, and took as
/// long as the one before. A limit ends it on a machine that never settles; none is made where none was asked for.
/// </summary>
/// <param name="least">Generations that were asked for.</param>
internal sealed class WarmUp(int least)
{
    // A generation of a tiny model is over before caches and clock speeds have settled.
    private const double ShortestMs = 500;
    private const double SameWithin = 0.05;
    private const int MostBeyondLeast = 10;
    private const double LongestBeyondLeastMs = 5000;

    private double _sinceLeastMs;
    private double? _previousMs;

    /// <summary>Generations so far.</summary>
    public int Count { get; private set; }

    /// <summary>Their time, ms.</summary>
    public double TotalMs { get; private set; }

    /// <summary>Whether nothing changed any more at the end.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>Whether measuring may begin.</summary>
    public bool IsOver =>
        least == 0
        || (
            Count >= least
            && ((IsSettled && TotalMs >= ShortestMs) || Count >= least + MostBeyondLeast || _sinceLeastMs >= LongestBeyondLeastMs)
        );

    /// <summary>One more generation.</summary>
    /// <param name="ms">How long it took.</param>
    /// <param name="compiledMethods">Methods that were compiled meanwhile.</param>
    /// <param name="collections">Garbage collections meanwhile.</param>
    public void Add(double ms, long compiledMethods, int collections)
    {
        Count++;
        TotalMs += ms;
        if (Count > least)
        {
            _sinceLeastMs += ms;
        }

        IsSettled =
            compiledMethods == 0 && collections == 0 && _previousMs is { } previous && Math.Abs(ms - previous) <= previous * SameWithin;
        _previousMs = ms;
    }
}
