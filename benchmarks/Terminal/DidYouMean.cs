namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>Finds what somebody meant who typed something else.</summary>
internal static class DidYouMean
{
    /// <summary>The known word that is nearest to what was typed; null when none is near. A third of the letters may be wrong.</summary>
    public static string? Nearest(string typed, IEnumerable<string> known)
    {
        (string Word, int Distance)[] nearest =
        [
            .. known
                .Select(word => (Word: word, Distance: Distance(typed.ToLowerInvariant(), word.ToLowerInvariant())))
                .OrderBy(pair => pair.Distance)
                .Take(2),
        ];

        // Of two that are equally near nobody knows which was meant.
        return
            nearest is [var first, ..]
            && first.Distance <= Math.Max(1, typed.Length / 3)
            && (nearest.Length == 1 || nearest[1].Distance > first.Distance)
            ? first.Word
            : null;
    }

    /// <summary><c> (did you mean int4?)</c>, or nothing.</summary>
    public static string Hint(string typed, IEnumerable<string> known) =>
        Nearest(typed, known) is { } word ? $" (did you mean {word}?)" : "";

    /// <summary>Letters to insert, delete, replace or swap with their neighbour: the optimal string alignment distance.</summary>
    private static int Distance(string a, string b)
    {
        int[,] steps = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                steps[i, j] =
                    i == 0 || j == 0
                        ? i + j
                        : Math.Min(Math.Min(steps[i - 1, j], steps[i, j - 1]) + 1, steps[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    steps[i, j] = Math.Min(steps[i, j], steps[i - 2, j - 2] + 1);
                }
            }
        }

        return steps[a.Length, b.Length];
    }
}
