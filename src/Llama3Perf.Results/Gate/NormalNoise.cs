namespace Llama3Perf.Results.Gate;

/// <summary>Standard normal numbers by the polar method, for simulations: equal seeds give equal numbers in every process.</summary>
internal sealed class NormalNoise(int seed)
{
    private readonly Random _random = new(seed);
    private double? _spare;

    /// <summary>Runs trials in blocks on all cores. Each block has its own numbers, so the counts do not depend on which core does
    /// what.</summary>
    /// <param name="trials">Number of trials.</param>
    /// <param name="seed">Seed of all of them.</param>
    /// <param name="trial">One trial; its answer is counted.</param>
    /// <returns>How often each answer came.</returns>
    public static IReadOnlyDictionary<T, int> Count<T>(int trials, int seed, Func<NormalNoise, T> trial)
        where T : notnull
    {
        const int TrialsOfBlock = 500;
        Dictionary<T, int> counts = [];
        Parallel.For(
            0,
            (trials + TrialsOfBlock - 1) / TrialsOfBlock,
            block =>
            {
                NormalNoise noise = new(SeedOf(seed, block));
                T[] answers = new T[Math.Min(TrialsOfBlock, trials - (block * TrialsOfBlock))];
                for (int i = 0; i < answers.Length; i++)
                {
                    answers[i] = trial(noise);
                }

                lock (counts)
                {
                    foreach (T answer in answers)
                    {
                        counts[answer] = counts.GetValueOrDefault(answer) + 1;
                    }
                }
            }
        );
        return counts;
    }

    public double Next()
    {
        if (_spare is { } spare)
        {
            _spare = null;
            return spare;
        }

        double u,
            v,
            square;
        do
        {
            u = (2 * _random.NextDouble()) - 1;
            v = (2 * _random.NextDouble()) - 1;
            square = (u * u) + (v * v);
        } while (square is >= 1 or 0);

        double scale = Math.Sqrt(-2 * Math.Log(square) / square);
        _spare = v * scale;
        return u * scale;
    }

    /// <summary>A seed for a block that is the same in every process, unlike <see cref="HashCode"/>.</summary>
    private static int SeedOf(int seed, int block) =>
        unchecked((int)(((ulong)(uint)seed << 32 | (uint)block) * 0x9E37_79B9_7F4A_7C15UL >> 32));
}
