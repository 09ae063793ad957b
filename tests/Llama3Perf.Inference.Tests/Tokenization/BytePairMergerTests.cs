using CsCheck;
using Llama3Perf.Inference.Tokenization;

namespace Llama3Perf.Inference.Tests.Tokenization;

public sealed class BytePairMergerTests
{
    // Ids 0 to 3 are letters; each merge makes the next id of two there are.
    private static readonly Gen<Dictionary<(int Left, int Right), PairMerge>> s_merges =
        Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 1000]).Array[0, 40].Select(picks =>
        {
            Dictionary<(int Left, int Right), PairMerge> merges = [];
            foreach ((int left, int right) in picks)
            {
                int next = 4 + merges.Count;
                merges.TryAdd((left % next, right % next), new PairMerge(merges.Count, next));
            }

            return merges;
        });

    [Fact]
    public void Short_and_long_pieces_merge_as_the_definition_says() => Gen.Select(s_merges, Gen.Int[0, 3].Array[0, 300]).Sample(
        (merges, letters) =>
        {
            int[] ids = [.. letters];
            int count = new BytePairMerger(merges).Merge(ids);
            Assert.Equal(Definition(merges, letters), ids[..count]);
        },
        iter: 2000);

    [Fact]
    public void Of_equal_ranks_the_leftmost_is_merged()
    {
        int[] ids = [0, 0, 0];
        int count = new BytePairMerger(new Dictionary<(int, int), PairMerge> { [(0, 0)] = new(0, 1) }).Merge(ids);
        Assert.Equal([1, 0], ids[..count]);
    }

    [Theory]
    [InlineData(1 << 20, 1)]
    [InlineData((1 << 20) + 1, 2)]
    public void A_million_of_one_letter_is_no_trap(int length, int tokens)
    {
        // Doubling merges: every id n and n becomes n + 1. A quadratic merger would be at this for hours.
        Dictionary<(int Left, int Right), PairMerge> merges = Enumerable.Range(0, 20).ToDictionary(n => (n, n), n => new PairMerge(n, n + 1));
        Assert.Equal(tokens, new BytePairMerger(merges).Merge(new int[length]));
    }

    private static List<int> Definition(Dictionary<(int Left, int Right), PairMerge> merges, int[] letters)
    {
        List<int> ids = [.. letters];
        while (true)
        {
            (PairMerge Merge, int Place)[] pairs = [.. Enumerable.Range(0, Math.Max(0, ids.Count - 1))
                .Where(place => merges.ContainsKey((ids[place], ids[place + 1])))
                .Select(place => (merges[(ids[place], ids[place + 1])], place))];
            if (pairs.Length == 0)
            {
                return ids;
            }

            (PairMerge merge, int best) = pairs.MinBy(pair => pair.Merge.Rank);
            ids[best] = merge.Id;
            ids.RemoveAt(best + 1);
        }
    }
}
