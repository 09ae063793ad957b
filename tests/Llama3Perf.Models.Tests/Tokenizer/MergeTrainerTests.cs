using CsCheck;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Tests.Tokenizer;

public sealed class MergeTrainerTests
{
    private static readonly Gen<Dictionary<string, long>> s_pieces = Gen.Select(Gen.String[Gen.Char["abcd"], 1, 8], Gen.Long[1, 20])
        .List[0, 12]
        .Select(list => list.DistinctBy(p => p.Item1).ToDictionary(p => p.Item1, p => p.Item2, StringComparer.Ordinal));

    [Fact]
    public void Equals_counting_all_pairs_before_every_merge() =>
        s_pieces.Sample(pieces => Assert.Equal(TrainByRecounting(pieces), MergeTrainer.Train(pieces)));

    [Fact]
    public void The_most_frequent_pair_comes_first()
    {
        Dictionary<string, long> pieces = new(StringComparer.Ordinal)
        {
            ["low"] = 5,
            ["lower"] = 2,
            ["newest"] = 6,
            ["widest"] = 3,
        };

        // The example of the paper that introduced byte-pair encoding; its merges are e-s, es-t, l-o, lo-w.
        Assert.Equal(["es", "est", "lo", "low"], MergeTrainer.Train(pieces).Take(4).Select(m => m.Text));
    }

    private static List<Merge> TrainByRecounting(Dictionary<string, long> pieces)
    {
        List<string> tokens = [.. ByteAlphabet.Characters.Select(c => c.ToString())];
        var split = pieces.Select(p => (Symbols: p.Key.Select(c => c.ToString()).ToList(), Weight: p.Value)).ToList();
        List<Merge> merges = [];
        while (true)
        {
            var best = split
                .SelectMany(p => p.Symbols.Zip(p.Symbols.Skip(1), (left, right) => (Merge: new Merge(left, right), p.Weight)))
                .GroupBy(p => p.Merge, p => p.Weight)
                .OrderByDescending(g => g.Sum())
                .ThenBy(g => tokens.IndexOf(g.Key.Left))
                .ThenBy(g => tokens.IndexOf(g.Key.Right))
                .FirstOrDefault();
            if (best is null)
            {
                return merges;
            }

            merges.Add(best.Key);
            if (!tokens.Contains(best.Key.Text))
            {
                tokens.Add(best.Key.Text);
            }

            foreach (List<string> symbols in split.Select(p => p.Symbols))
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                {
                    if (symbols[i] == best.Key.Left && symbols[i + 1] == best.Key.Right)
                    {
                        symbols[i] = best.Key.Text;
                        symbols.RemoveAt(i + 1);
                    }
                }
            }
        }
    }
}
