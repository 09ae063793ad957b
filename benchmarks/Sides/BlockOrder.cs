namespace Llama3Perf.Benchmarks.Sides;

/// <summary>
/// The order of what is measured in turn, from a seed: in each block both sides twice, A B B A or B A A B by chance, so that what rises or
/// falls evenly through a block cancels and what a side leaves behind does not always meet the same other.
/// </summary>
internal sealed class BlockOrder(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>A block: true stands for A.</summary>
    public IReadOnlyList<bool> Next() => _random.Next(2) == 0 ? [true, false, false, true] : [false, true, true, false];

    /// <summary>Items in random order.</summary>
    public T[] Shuffled<T>(IEnumerable<T> items)
    {
        T[] shuffled = [.. items];
        _random.Shuffle(shuffled);
        return shuffled;
    }
}
