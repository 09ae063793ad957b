using System.Text.RegularExpressions;

namespace Llama3Perf.Models.Tokenizer;

/// <summary>Learns byte-pair merges from a page of English, most frequent pair first, ties in ordinal order.</summary>
internal static partial class MergeTrainer
{
    // A page about what the suite measures, so that prompts about it break into tokens as they would in a real vocabulary.
    private const string Page =
        """
        The time to the first token is the time that a person waits before anything happens. The prompt is read in one step, which is
        called prefill; after that the model writes one token at a time, which is called decode. Both are measured in tokens per second,
        and they have little to do with each other: reading is limited by how many products the machine can compute, writing by how fast
        it can move the weights of the model from memory. OpenVINO is a toolkit of this kind, and so are DirectML and the ONNX Runtime.
        What is the capital of France? Paris is the capital of France. Explain the difference between latency and throughput to a child.
        Latency is how long one of them takes, and throughput is how many there are in an hour. Write a short story about a lighthouse.
        There was once a keeper who counted every ship that passed, and when the last one had gone he went on counting, because the
        numbers had become his friends. In the morning the sea was as flat as glass, and the light was still burning. He said that he
        would not have wanted it any other way, and then he went down the stairs to make some tea for the people who were coming.
        Large language models are trained on text from books and pages; they learn which word is likely to come next. A model with eight
        billion weights takes sixteen gigabytes at half precision, and less than five when each weight is stored in four bits. With four
        bits there are sixteen values for every weight, and a block of thirty-two weights shares one scale. The attention of each layer
        keeps the keys and the values of all tokens that came before, so that they need not be computed again. The driver of a graphics
        adapter can make the same program faster or slower from one version to the next, which is the reason why it should be measured.
        for (int i = 0; i < 10; i++) { return value; } public static void Main(string[] args) { Console.WriteLine("Hello, world!"); }
        import numpy as np; def main(): print("tokens per second") if __name__ == "__main__": main() {"name": "llama", "size": [1, 2, 3]}
        """;

    /// <summary>The 256 characters that stand for bytes, in Llama-3's order: printable Latin-1 first.</summary>
    public static IReadOnlyList<char> ByteCharacters { get; } =
        [.. Enumerable.Range(0, 256).Where(IsPrintable).Select(value => (char)value), .. Enumerable.Range(0, 256).Where(value => !IsPrintable(value)).Select((_, i) => (char)(0x100 + i))];

    /// <summary>At most so many merges; fewer when the page has no more to teach.</summary>
    public static IReadOnlyList<(string Left, string Right)> Learn(int limit)
    {
        List<(List<string> Symbols, int Count)> words =
        [
            .. Words().Matches(Page.ReplaceLineEndings(" ")).Select(match => match.Value.Replace(' ', 'Ġ')).CountBy(word => word)
                .Select(word => (word.Key.Select(character => character.ToString()).ToList(), word.Value)),
        ];
        List<(string Left, string Right)> merges = [];
        while (merges.Count < limit && MostFrequent(words) is { } pair)
        {
            merges.Add(pair);
            foreach ((List<string> symbols, _) in words)
            {
                Merge(symbols, pair);
            }
        }

        return merges;
    }

    private static (string Left, string Right)? MostFrequent(List<(List<string> Symbols, int Count)> words)
    {
        Dictionary<(string Left, string Right), int> counts = [];
        foreach ((List<string> symbols, int count) in words)
        {
            for (int i = 1; i < symbols.Count; i++)
            {
                (string, string) pair = (symbols[i - 1], symbols[i]);
                counts[pair] = counts.GetValueOrDefault(pair) + count;
            }
        }

        return counts.Count == 0
            ? null
            : counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key.Left, StringComparer.Ordinal).ThenBy(pair => pair.Key.Right, StringComparer.Ordinal).First().Key;
    }

    private static void Merge(List<string> symbols, (string Left, string Right) pair)
    {
        for (int i = symbols.Count - 1; i > 0; i--)
        {
            if (symbols[i - 1] == pair.Left && symbols[i] == pair.Right)
            {
                symbols[i - 1] += symbols[i];
                symbols.RemoveAt(i);
            }
        }
    }

    private static bool IsPrintable(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    [GeneratedRegex(@"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+", RegexOptions.None, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Words();
}
