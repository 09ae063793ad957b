namespace Llama3Perf.Fuzz;

/// <summary>One reader.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Seeds">Good inputs, which mutations start from.</param>
/// <param name="Mutate">Damages an input.</param>
/// <param name="Read">Reads an input; every exception but those of <paramref name="IsDocumented"/> is a finding.</param>
/// <param name="IsDocumented">True for what the reader says it throws.</param>
internal sealed record FuzzTarget(
    string Name,
    IReadOnlyList<byte[]> Seeds,
    Func<byte[], Random, byte[]> Mutate,
    Action<byte[]> Read,
    Func<Exception, bool> IsDocumented
)
{
    /// <summary>False for a reader that takes everything: what it does not understand is unknown.</summary>
    public bool Refuses { get; init; } = true;
}
