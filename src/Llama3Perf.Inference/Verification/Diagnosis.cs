using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Verification;

/// <summary>A tensor that both sides have, compared.</summary>
/// <param name="Tensor">The tensor on the tested side.</param>
/// <param name="Step"><c>prefill</c> or <c>decode</c>.</param>
/// <param name="Difference">Largest absolute difference as a share of the reference's spread; NaN where a value is none.</param>
public sealed record TensorDifference(ProbedTensor Tensor, string Step, double Difference);

/// <summary>
/// Where two computations of a model part: their tensors are compared node by node in the order of the graph, in a prefill and in a decode
/// step behind it. Forms of a model are matched by layer and role; one that packs queries, keys and values is held against their three.
/// </summary>
/// <param name="Differences">Every tensor that both sides have, in the order of the graph.</param>
/// <param name="Limit">The difference from which on a tensor has departed.</param>
/// <param name="Unmatched">Tensors of the tested side that the reference has no like of.</param>
public sealed record Diagnosis(IReadOnlyList<TensorDifference> Differences, double Limit, int Unmatched)
{
    private const string Packed = "attn/qkv_proj";
    private static readonly string[] s_parts = ["attn/q_proj", "attn/k_proj", "attn/v_proj"];

    /// <summary>Steps of <see cref="Of"/>, for whoever shows them.</summary>
    public const int Steps = 4;

    /// <summary>The first tensor that departs; null when none does.</summary>
    public TensorDifference? First => Differences.FirstOrDefault(found => !(found.Difference <= Limit));

    /// <summary>Computes both sides, one after the other, and compares.</summary>
    /// <param name="tested">What is suspected.</param>
    /// <param name="reference">What is trusted.</param>
    /// <param name="prompt">Token ids; the last one is the decode step's.</param>
    /// <param name="limit">The limit; null for the usual one.</param>
    /// <param name="onStep">Told of each of the steps.</param>
    /// <exception cref="EngineException">A side cannot be computed, or they are different models.</exception>
    public static Diagnosis Of(VerifiedSide tested, VerifiedSide reference, int[] prompt, double? limit = null, Action? onStep = null)
    {
        (ModelFolder a, ModelFolder b) = (tested.Folder, reference.Folder);
        if ((a.LayerCount, a.HiddenSize, a.VocabularySize) != (b.LayerCount, b.HiddenSize, b.VocabularySize))
        {
            throw new EngineException($"{a.Path} and {b.Path} have other layers, widths or vocabularies: they are different models");
        }

        Computed expected = Compute(reference, prompt, onStep);
        Computed actual = Compute(tested, prompt, onStep);
        List<TensorDifference> differences = [];
        int unmatched = 0;
        foreach ((string step, int index) in ((string, int)[])[("prefill", 0), ("decode", 1)])
        {
            if (expected.Values.Count <= index || actual.Values.Count <= index)
            {
                continue;
            }

            Dictionary<(int?, string), float[]> known = ByRole(expected, index);
            Dictionary<(int?, string), float[]> own = ByRole(actual, index);
            foreach (ProbedTensor tensor in actual.Tensors)
            {
                if (!actual.Values[index].ContainsKey(tensor.Tensor))
                {
                    continue;
                }

                (int?, string) key = (tensor.Layer, tensor.Role);
                if (known.TryGetValue(key, out float[]? values) && values.Length == own[key].Length)
                {
                    differences.Add(new TensorDifference(tensor, step, Difference(values, own[key])));
                }
                else
                {
                    unmatched++;
                }
            }
        }

        return differences.Count > 0
            ? new Diagnosis(differences, limit ?? LimitOf(VerificationLimits.ClosenessOf(tested, reference), a.Precision), unmatched)
            : throw new EngineException($"no tensor of {a.Path} has its like in {b.Path}: their nodes are named otherwise");
    }

    // Single values between the nodes scatter more than logits do, which sum over all of them.
    private static double LimitOf(Closeness closeness, Precision precision) =>
        closeness switch
        {
            Closeness.Same => 1e-3,
            Closeness.Rounding when precision == Precision.Fp32 => 1e-3,
            Closeness.Rounding => 0.03,
            Closeness.OtherWeights => 0.5,
            _ => 0.15,
        };

    private static Computed Compute(VerifiedSide side, int[] prompt, Action? onStep)
    {
        if (side.Kind.Availability(side.Options.Provider) is { IsAvailable: false } missing)
        {
            throw new EngineException(missing.Reason!);
        }

        var probed = ProbedGraph.Create(side.Folder, side.Options.FloatActivations);
        using GraphProbe probe = new(side.Folder, side.Options, prompt.Length + 1, probed.Bytes, probed.Tensors);
        onStep?.Invoke();
        List<IReadOnlyDictionary<string, float[]>> values = [probe.Compute(prompt.AsSpan()[..^1], past: 0)];
        if (side.Folder.Family != GraphFamily.Growing)
        {
            values.Add(probe.Compute(prompt.AsSpan()[^1..], past: prompt.Length - 1));
        }

        onStep?.Invoke();
        return new Computed(side.Folder, prompt.Length - 1, [.. probed.Tensors, Logits(side.Folder)], values);
    }

    private static ProbedTensor Logits(ModelFolder folder) => new(folder.Names.Logits, null, "logits", "LM head", folder.Names.Logits);

    /// <summary>By layer and role. Three projections also stand as the one that packs them, and the one as three.</summary>
    private static Dictionary<(int? Layer, string Role), float[]> ByRole(Computed side, int index)
    {
        Dictionary<(int?, string), float[]> values = [];
        foreach (ProbedTensor tensor in side.Tensors)
        {
            if (side.Values[index].TryGetValue(tensor.Tensor, out float[]? found))
            {
                values.TryAdd((tensor.Layer, tensor.Role), found);
            }
        }

        int tokens = index == 0 ? side.PromptTokens : 1;
        int query = side.Folder.HeadCount * side.Folder.HeadSize;
        int width = side.Folder.KeyValueHeadCount * side.Folder.HeadSize;
        foreach (int? layer in side.Tensors.Select(tensor => tensor.Layer).Distinct().ToArray())
        {
            if (values.GetValueOrDefault((layer, Packed)) is { } packed && packed.Length == tokens * (query + (2 * width)))
            {
                values.TryAdd((layer, s_parts[0]), Columns(packed, tokens, 0, query));
                values.TryAdd((layer, s_parts[1]), Columns(packed, tokens, query, width));
                values.TryAdd((layer, s_parts[2]), Columns(packed, tokens, query + width, width));
            }
            else if (Array.ConvertAll(s_parts, part => values.GetValueOrDefault((layer, part))) is [{ } q, { } k, { } v])
            {
                values.TryAdd(
                    (layer, Packed),
                    [
                        .. Enumerable
                            .Range(0, tokens)
                            .SelectMany(token => ((float[][])[q, k, v]).SelectMany(part => Row(part, tokens, token))),
                    ]
                );
            }
        }

        return values;
    }

    private static ArraySegment<float> Row(float[] values, int tokens, int token) =>
        new(values, values.Length / tokens * token, values.Length / tokens);

    /// <summary>Some columns of a matrix of one row a token.</summary>
    private static float[] Columns(float[] values, int tokens, int first, int count)
    {
        int width = values.Length / tokens;
        float[] columns = new float[tokens * count];
        for (int token = 0; token < tokens; token++)
        {
            Array.Copy(values, (token * width) + first, columns, token * count, count);
        }

        return columns;
    }

    private static double Difference(float[] expected, float[] actual)
    {
        double largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)expected[i] - actual[i]);
            largest = difference > largest || double.IsNaN(difference) ? difference : largest;
            if (double.IsNaN(largest))
            {
                return double.NaN;
            }
        }

        return largest == 0 ? 0 : largest / LogitsDifference.SpreadOf(expected);
    }

    private sealed record Computed(
        ModelFolder Folder,
        int PromptTokens,
        IReadOnlyList<ProbedTensor> Tensors,
        IReadOnlyList<IReadOnlyDictionary<string, float[]>> Values
    );
}
