using System.Globalization;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Folders;

/// <summary>Whether genai_config.json and the graph tell of the same model: names, layers, heads, head size, vocabulary.</summary>
internal static class GraphAgreement
{
    /// <summary>Names from genai_config.json, with ONNX Runtime GenAI's defaults; a position input only if the graph has it.</summary>
    public static DecoderNames Names(JsonField decoder, GraphProto graph)
    {
        var standard = new DecoderNames();
        JsonField? inputs = decoder.Find("inputs");
        JsonField? outputs = decoder.Find("outputs");
        string positionIds = inputs?.Find("position_ids")?.Text() ?? "position_ids";
        return new DecoderNames
        {
            InputIds = inputs?.Find("input_ids")?.Text() ?? standard.InputIds,
            AttentionMask = inputs?.Find("attention_mask")?.Text() ?? standard.AttentionMask,
            PositionIds = Has(graph.Input, positionIds) ? positionIds : null,
            PastKey = inputs?.Find("past_key_names")?.Text() ?? standard.PastKey,
            PastValue = inputs?.Find("past_value_names")?.Text() ?? standard.PastValue,
            Logits = outputs?.Find("logits")?.Text() ?? standard.Logits,
            PresentKey = outputs?.Find("present_key_names")?.Text() ?? standard.PresentKey,
            PresentValue = outputs?.Find("present_value_names")?.Text() ?? standard.PresentValue,
        };
    }

    /// <exception cref="ModelException">Both contradict each other; the message names both values.</exception>
    public static void Check(ModelFolder folder, GraphFacts facts)
    {
        CheckEmbeddings(folder, facts.Graph);
        int layers = facts.Caches.Select(cache => CacheInput.Layer(folder.Names.PastKey, cache.Name)).OfType<int>().Count();
        if (layers > 0)
        {
            Agree(folder, "num_hidden_layers", folder.LayerCount, layers);
        }

        CheckNames(folder, facts.Graph);
        foreach (CacheInput cache in facts.Caches)
        {
            Agree(folder, "num_key_value_heads", folder.KeyValueHeadCount, cache.Heads);
            Agree(folder, "head_size", folder.HeadSize, cache.Width * (cache.IsQuantized && cache.Width * 2 == folder.HeadSize ? 2 : 1));
        }

        foreach (NodeProto attention in facts.Attentions)
        {
            Agree(folder, "num_attention_heads", folder.HeadCount, attention.Integer("num_heads"));
            Agree(folder, "num_key_value_heads", folder.KeyValueHeadCount, attention.Integer("kv_num_heads"));
            Agree(folder, "head_size", folder.HeadSize, HeadSize(attention, facts));
        }

        Agree(folder, "vocab_size", folder.VocabularySize, LastDimension(facts.Graph, folder.Names.Logits));
    }

    /// <summary>By the width of the product that gives the queries, with keys and values where they are packed; null where it is not
    /// found.</summary>
    private static long? HeadSize(NodeProto attention, GraphFacts facts)
    {
        long heads = attention.Integer("num_heads") ?? 0;
        bool isPacked = attention.InputAt(1).Length == 0;
        long all = isPacked ? heads + (2 * (attention.Integer("kv_num_heads") ?? heads)) : heads;
        return
            all > 0
            && facts.Paths.Origin(attention.InputAt(0)) is { } node
            && facts.Products.FirstOrDefault(product => ReferenceEquals(product.Node, node)) is { N: > 0 } product
            && product.N % all == 0
            ? product.N / all
            : null;
    }

    private static void CheckEmbeddings(ModelFolder folder, GraphProto graph)
    {
        const string Embeddings = "inputs_embeds";
        if (!Has(graph.Input, folder.Names.InputIds) && Has(graph.Input, Embeddings))
        {
            throw new ModelException(
                $"{folder.GraphPath} takes {Embeddings} instead of {folder.Names.InputIds}: it was exported without its embedding, and no "
                    + "engine here makes embeddings. Export it with the embedding."
            );
        }
    }

    /// <summary>Every name of the configuration, of the last layer too, must be an input or output of the graph.</summary>
    private static void CheckNames(ModelFolder folder, GraphProto graph)
    {
        DecoderNames names = folder.Names;
        string last = (folder.LayerCount - 1).ToString(CultureInfo.InvariantCulture);
        foreach (string input in (string[])[names.InputIds, names.AttentionMask, names.PastKey, names.PastValue])
        {
            Require(graph.Input, "input", input);
        }

        foreach (string output in (string[])[names.Logits, names.PresentKey, names.PresentValue])
        {
            Require(graph.Output, "output", output);
        }

        void Require(IEnumerable<ValueInfoProto> values, string kind, string name)
        {
            string actual = name.Replace("%d", last, StringComparison.Ordinal);
            if (!Has(values, actual))
            {
                throw new ModelException(
                    $"{folder.GraphPath} has no {kind} '{Shown.Text(actual)}', which genai_config.json names or leaves to its default. "
                        + "Copy both from the same export."
                );
            }
        }
    }

    private static void Agree(ModelFolder folder, string key, long said, long? found)
    {
        if (found is { } other && other != said)
        {
            throw new ModelException(
                $"{folder.Path}: genai_config.json says {key} {said}, the graph has {other}. Copy both from the same export."
            );
        }
    }

    private static long? LastDimension(GraphProto graph, string output) =>
        graph.Output.FirstOrDefault(value => value.Name == output)?.Type?.TensorType?.Shape?.Dim is [.., { DimValue: > 0 } last]
            ? last.DimValue
            : null;

    private static bool Has(IEnumerable<ValueInfoProto> values, string name) =>
        values.Any(value => string.Equals(value.Name, name, StringComparison.Ordinal));
}
