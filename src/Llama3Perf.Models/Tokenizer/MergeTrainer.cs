using System.Runtime.InteropServices;

namespace Llama3Perf.Models.Tokenizer;

/// <summary>One rule of byte-pair encoding: two neighbouring tokens become one. Earlier rules go first.</summary>
internal readonly record struct Merge(string Left, string Right)
{
    public string Text => Left + Right;
}

/// <summary>
/// Byte-pair encoding trained by counting (Sennrich et al. 2016): the most frequent pair of neighbours becomes a token, again and again,
/// until every piece is one token. Ties go to the pair of older tokens, so equal pieces give equal merges.
/// </summary>
internal sealed class MergeTrainer
{
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Pair(int Left, int Right);

    private sealed class PairUse
    {
        public long Count;
        public readonly HashSet<int> Pieces = [];
    }

    private readonly List<string> _tokens = [.. ByteAlphabet.Characters.Select(c => c.ToString())];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<List<int>> _pieces = [];
    private readonly List<long> _weights = [];
    private readonly Dictionary<Pair, PairUse> _uses = [];
    private readonly PriorityQueue<Pair, (long NegativeCount, int Left, int Right)> _queue = new();

    private MergeTrainer(IEnumerable<KeyValuePair<string, long>> pieces)
    {
        for (int id = 0; id < _tokens.Count; id++)
        {
            _ids[_tokens[id]] = id;
        }

        foreach ((string text, long weight) in pieces)
        {
            _pieces.Add([.. text.Select(c => _ids[c.ToString()])]);
            _weights.Add(weight);
            Count(_pieces.Count - 1, sign: 1);
        }
    }

    /// <summary>Merges in the order they apply.</summary>
    /// <param name="pieces">Distinct pieces in the characters of <see cref="ByteAlphabet"/>, with how often each occurs.</param>
    public static IReadOnlyList<Merge> Train(IEnumerable<KeyValuePair<string, long>> pieces) => new MergeTrainer(pieces).Run();

    private List<Merge> Run()
    {
        List<Merge> merges = [];
        foreach (Pair pair in _uses.Keys)
        {
            Enqueue(pair);
        }

        while (_queue.TryDequeue(out Pair pair, out var priority))
        {
            PairUse use = _uses[pair];
            if (use.Count <= 0)
            {
                continue;
            }

            if (use.Count != -priority.NegativeCount)
            {
                // Counted down since it was queued: it comes later.
                Enqueue(pair);
                continue;
            }

            Merge merge = new(_tokens[pair.Left], _tokens[pair.Right]);
            merges.Add(merge);
            Apply(pair, IdOf(merge.Text), use);
        }

        return merges;
    }

    private int IdOf(string token)
    {
        ref int id = ref CollectionsMarshal.GetValueRefOrAddDefault(_ids, token, out bool known);
        if (!known)
        {
            id = _tokens.Count;
            _tokens.Add(token);
        }

        return id;
    }

    private void Apply(Pair pair, int merged, PairUse use)
    {
        HashSet<Pair> touched = [];
        foreach (int index in use.Pieces.ToArray())
        {
            List<int> piece = _pieces[index];
            Count(index, sign: -1);
            Replace(piece, pair, merged);
            Count(index, sign: 1);
            for (int i = 0; i + 1 < piece.Count; i++)
            {
                if (piece[i] == merged || piece[i + 1] == merged)
                {
                    touched.Add(new Pair(piece[i], piece[i + 1]));
                }
            }
        }

        foreach (Pair changed in touched)
        {
            Enqueue(changed);
        }
    }

    private static void Replace(List<int> piece, Pair pair, int merged)
    {
        int kept = 0;
        for (int i = 0; i < piece.Count; i++)
        {
            bool match = i + 1 < piece.Count && piece[i] == pair.Left && piece[i + 1] == pair.Right;
            piece[kept++] = match ? merged : piece[i];
            i += match ? 1 : 0;
        }

        piece.RemoveRange(kept, piece.Count - kept);
    }

    private void Count(int index, int sign)
    {
        List<int> piece = _pieces[index];
        for (int i = 0; i + 1 < piece.Count; i++)
        {
            ref PairUse? use = ref CollectionsMarshal.GetValueRefOrAddDefault(_uses, new Pair(piece[i], piece[i + 1]), out _);
            use ??= new PairUse();
            use.Count += sign * _weights[index];
            if (sign > 0)
            {
                use.Pieces.Add(index);
            }
            else
            {
                use.Pieces.Remove(index);
            }
        }
    }

    private void Enqueue(Pair pair) => _queue.Enqueue(pair, (-_uses[pair].Count, pair.Left, pair.Right));
}
