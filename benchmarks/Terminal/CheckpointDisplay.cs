using System.Globalization;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Tokenizer;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>Shows what an inspection of a checkpoint found: facts, weights, problems.</summary>
internal static class CheckpointDisplay
{
    /// <param name="inspection">What was found.</param>
    /// <param name="tokenizerProblem">Why the suite's tokenizer does not read tokenizer.json, or null.</param>
    public static void Show(CheckpointInspection inspection, string? tokenizerProblem)
    {
        Screen.Table(new TextTable([new("property", false), new("value", false)], [.. Facts(inspection)]));
        Screen.Table(
            new TextTable(
                [new("file", false), new("tensors", true), new("bytes", true)],
                [
                    .. inspection.Shards.Select(shard => (string[])[shard.Name, Count(shard.TensorCount), Count(shard.Bytes)]),
                    [
                        "together",
                        Count(inspection.Shards.Sum(shard => shard.TensorCount)),
                        Count(inspection.Shards.Sum(shard => shard.Bytes)),
                    ],
                ]
            )
        );
        InspectionDisplay.ShowProblems([.. inspection.Problems, .. tokenizerProblem is { } problem ? [problem] : Array.Empty<string>()]);
    }

    private static IEnumerable<string[]> Facts(CheckpointInspection inspection)
    {
        LlamaShape shape = inspection.Checkpoint.Shape;
        yield return ["name", shape.Name];
        yield return ["form", "Hugging Face checkpoint; build makes a model folder of it"];
        yield return ["weights", inspection.Checkpoint.IsSynthetic ? "synthetic: the speed is real, the text is noise" : "real"];
        yield return ["layers", $"{shape.LayerCount} of {shape.HiddenSize}, MLP {shape.IntermediateSize}"];
        yield return ["heads", $"{shape.HeadCount} query, {shape.KeyValueHeadCount} key and value, each of {shape.HeadSize}"];
        yield return ["vocabulary", $"{shape.VocabularySize}, embedding {(shape.TieEmbeddings ? "tied to the LM head" : "of its own")}"];
        yield return ["context", Count(shape.ContextLength)];
        yield return ["rotary embedding", Rope(shape)];
        yield return
        [
            "biases",
            (shape.AttentionBias, shape.MlpBias) switch
            {
                (true, true) => "attention and MLP",
                (true, false) => "attention",
                (false, true) => "MLP",
                _ => "none",
            },
        ];
        yield return ["parameters", Count(inspection.ParameterCount)];
        yield return
        [
            "stored as",
            string.Join(
                ", ",
                inspection.Types.Select(weights =>
                    $"{Name(weights.Type)} ({Count(weights.TensorCount)} tensors, {Count(weights.Bytes)} bytes)"
                )
            ),
        ];
        yield return
        [
            "tokenizer",
            inspection.Tokenizer is { } tokenizer
                ? $"{tokenizer.Kind}, ids up to {tokenizer.Size - 1}, {tokenizer.AddedCount} added tokens"
                : "unknown",
        ];
        yield return ["special tokens", Tokens(inspection.Checkpoint.Tokens)];
        yield return ["chat template", inspection.HasChatTemplate ? "yes" : "none"];
    }

    private static string Rope(LlamaShape shape) =>
        shape.RopeScaling is { } scaling
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"theta {shape.RopeTheta}, llama3 scaling by {scaling.Factor} from {scaling.OriginalContextLength}, low "
                    + $"{scaling.LowFrequencyFactor}, high {scaling.HighFrequencyFactor}"
            )
            : string.Create(CultureInfo.InvariantCulture, $"theta {shape.RopeTheta}, no scaling");

    private static string Tokens(SpecialTokens tokens) =>
        $"BOS {tokens.BosTokenId?.ToString(CultureInfo.InvariantCulture) ?? "none"}, EOS "
        + $"{(tokens.EosTokenIds.Count > 0 ? string.Join(" or ", tokens.EosTokenIds) : "none")}";

    private static string Name(CheckpointType type) =>
        type switch
        {
            CheckpointType.BFloat16 => "bf16",
            CheckpointType.Float16 => "fp16",
            _ => "fp32",
        };

    private static string Count(long number) => InspectionDisplay.Count(number);
}
