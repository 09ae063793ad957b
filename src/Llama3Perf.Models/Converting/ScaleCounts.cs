namespace Llama3Perf.Models.Converting;

/// <summary>How many quantization scales were rounded to float16, the only type in which GGUF has them. Counted by all threads.</summary>
internal sealed class ScaleCounts
{
    private long _all;
    private long _rounded;
    private long _lost;

    /// <summary>Scales in all.</summary>
    public long All => Interlocked.Read(ref _all);

    /// <summary>Those that float16 does not hold exactly.</summary>
    public long Rounded => Interlocked.Read(ref _rounded);

    /// <summary>Counts some.</summary>
    /// <param name="exact">As they are stored.</param>
    /// <param name="halves">The same, rounded.</param>
    public void Add(ReadOnlySpan<float> exact, ReadOnlySpan<Half> halves)
    {
        int rounded = 0;
        int lost = 0;
        for (int i = 0; i < exact.Length; i++)
        {
            float half = (float)halves[i];
            rounded += half == exact[i] ? 0 : 1;
            lost += !float.IsFinite(half) || (half == 0 && exact[i] != 0) ? 1 : 0;
        }

        Interlocked.Add(ref _all, exact.Length);
        Interlocked.Add(ref _rounded, rounded);
        Interlocked.Add(ref _lost, lost);
    }

    /// <summary>Refuses scales that float16 makes infinite or 0.</summary>
    /// <exception cref="ModelException">With their number.</exception>
    public void RequireHeld(string folder)
    {
        if (Interlocked.Read(ref _lost) is > 0 and var lost)
        {
            throw new ModelException(
                $"'{folder}' has {lost} quantization scales beyond float16's range, in which GGUF holds them. Convert it in fp16 or fp32."
            );
        }
    }
}
