using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>What a pair of tokens becomes.</summary>
/// <param name="Rank">Place in the list of merges; lower ones are done first.</param>
/// <param name="Id">Token id of the two as one.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PairMerge(int Rank, int Id);

/// <summary>
/// Byte pair encoding of one piece: of all neighbours that can be merged, the pair of lowest rank is, the leftmost one of equals,
/// until none is left. O(n log n), so that a piece of a million letters is no trap.
/// </summary>
internal sealed class BytePairMerger(IReadOnlyDictionary<(int Left, int Right), PairMerge> merges)
{
    // Up to here looking at every pair again is cheaper than keeping a queue of them.
    private const int ShortPiece = 64;

    private const int None = -1;

    private static readonly PairMerge s_none = new(int.MaxValue, None);

    private readonly Dictionary<ulong, PairMerge> _merges = merges.ToDictionary(merge => Key(merge.Key.Left, merge.Key.Right), merge => merge.Value);

    /// <summary>Merges in place. Returns how many ids at the beginning of <paramref name="ids"/> are the result.</summary>
    public int Merge(Span<int> ids) => ids.Length switch
    {
        < 2 => ids.Length,
        <= ShortPiece => MergeShort(ids),
        _ => MergeLong(ids),
    };

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    private PairMerge Find(int left, int right) => _merges.TryGetValue(Key(left, right), out PairMerge merge) ? merge : s_none;

    private int MergeShort(Span<int> ids)
    {
        Span<PairMerge> pairs = stackalloc PairMerge[ShortPiece];
        int count = ids.Length;
        for (int i = 0; i + 1 < count; i++)
        {
            pairs[i] = Find(ids[i], ids[i + 1]);
        }

        while (count > 1)
        {
            int best = Lowest(pairs[..(count - 1)]);
            if (pairs[best].Id == None)
            {
                break;
            }

            ids[best] = pairs[best].Id;
            ids[(best + 2)..count].CopyTo(ids[(best + 1)..]);
            pairs[(best + 1)..(count - 1)].CopyTo(pairs[best..]);
            count--;
            if (best > 0)
            {
                pairs[best - 1] = Find(ids[best - 1], ids[best]);
            }

            if (best + 1 < count)
            {
                pairs[best] = Find(ids[best], ids[best + 1]);
            }
        }

        return count;
    }

    private static int Lowest(ReadOnlySpan<PairMerge> pairs)
    {
        int best = 0;
        for (int i = 1; i < pairs.Length; i++)
        {
            best = pairs[i].Rank < pairs[best].Rank ? i : best;
        }

        return best;
    }

    // A linked list of tokens in the places of their first bytes, and a queue of pairs by rank, then place.
    // A pair that has changed since it was queued is known by its rank, which no other pair in the same place has.
    private int MergeLong(Span<int> ids)
    {
        int[] next = [.. Enumerable.Range(1, ids.Length)];
        int[] previous = [.. Enumerable.Range(-1, ids.Length)];
        PriorityQueue<int, ulong> queue = Queue(ids);
        while (queue.TryDequeue(out int place, out ulong priority))
        {
            int right = next[place];
            PairMerge merge = ids[place] == None || right >= ids.Length ? s_none : Find(ids[place], ids[right]);
            if (merge.Id == None || merge.Rank != (int)(priority >> 32))
            {
                continue;
            }

            ids[place] = merge.Id;
            ids[right] = None;
            next[place] = next[right];
            if (next[place] < ids.Length)
            {
                previous[next[place]] = place;
                Enqueue(queue, place, Find(ids[place], ids[next[place]]));
            }

            if (previous[place] >= 0)
            {
                Enqueue(queue, previous[place], Find(ids[previous[place]], ids[place]));
            }
        }

        return Compact(ids);
    }

    private PriorityQueue<int, ulong> Queue(ReadOnlySpan<int> ids)
    {
        List<(int Place, ulong Priority)> pairs = new(ids.Length);
        for (int i = 0; i + 1 < ids.Length; i++)
        {
            if (Find(ids[i], ids[i + 1]) is { Id: not None } merge)
            {
                pairs.Add((i, Priority(merge.Rank, i)));
            }
        }

        return new PriorityQueue<int, ulong>(pairs);
    }

    private static void Enqueue(PriorityQueue<int, ulong> queue, int place, PairMerge merge)
    {
        if (merge.Id != None)
        {
            queue.Enqueue(place, Priority(merge.Rank, place));
        }
    }

    private static ulong Priority(int rank, int place) => ((ulong)(uint)rank << 32) | (uint)place;

    private static int Compact(Span<int> ids)
    {
        int count = 0;
        foreach (int id in ids)
        {
            if (id != None)
            {
                ids[count++] = id;
            }
        }

        return count;
    }
}
