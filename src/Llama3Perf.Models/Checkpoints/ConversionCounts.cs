namespace Llama3Perf.Models.Checkpoints;

/// <summary>How many weights of a checkpoint could not be stored as they are. Counted by all threads of a build.</summary>
internal sealed class ConversionCounts
{
    private readonly Lock _lock = new();
    private string? _firstNotFinite;

    /// <summary>Weights that are not a number; stored as 0.</summary>
    public long NaNs { get; private set; }

    /// <summary>Infinite weights; stored as the largest number.</summary>
    public long Infinities { get; private set; }

    /// <summary>Finite weights beyond float16's 65504; stored as that.</summary>
    public long Overflows { get; private set; }

    public void AddNaN(string tensor)
    {
        lock (_lock)
        {
            NaNs++;
            _firstNotFinite ??= tensor;
        }
    }

    public void AddInfinity(string tensor)
    {
        lock (_lock)
        {
            Infinities++;
            _firstNotFinite ??= tensor;
        }
    }

    public void AddOverflow(string tensor)
    {
        lock (_lock)
        {
            Overflows++;
        }
    }

    public ConversionReport Report() => new(Overflows, NaNs, Infinities);

    /// <summary>Refuses what was converted when it holds weights that are no numbers.</summary>
    /// <exception cref="ModelException">With the counts and a tensor.</exception>
    public void RequireFinite(string checkpoint)
    {
        if (NaNs + Infinities > 0)
        {
            throw new ModelException(
                $"'{checkpoint}' holds {NaNs} NaN and {Infinities} infinite weights, for instance in {_firstNotFinite}. Get the checkpoint "
                    + "again, or pass --allow-non-finite to store them as 0 and as the largest number."
            );
        }
    }
}
