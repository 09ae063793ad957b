using System.Text.Json.Nodes;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Llama;

/// <summary>genai_config.json, with the keys and values of ONNX Runtime GenAI's own builder.</summary>
internal static class GenAiConfigText
{
    public static string Text(LlamaShape shape, GraphTarget target, string graphFile, SpecialTokens tokens)
    {
        JsonObject model = new()
        {
            ["bos_token_id"] = tokens.BosTokenId,
            ["context_length"] = shape.ContextLength,
            ["decoder"] = Decoder(shape, target, graphFile),
            ["eos_token_id"] = new JsonArray([.. tokens.EosTokenIds.Select(id => (JsonNode)id)]),
            ["pad_token_id"] = tokens.PadTokenId,
            ["type"] = "llama",
            ["vocab_size"] = shape.VocabularySize,
        };
        // GenAI's reader takes a number or nothing.
        foreach (string none in model.Where(entry => entry.Value is null).Select(entry => entry.Key).ToArray())
        {
            model.Remove(none);
        }

        return FolderJson.Text(new JsonObject { ["model"] = model, ["search"] = Search(shape) });
    }

    private static JsonObject Decoder(LlamaShape shape, GraphTarget target, string graphFile)
    {
        DecoderNames names = LlamaGraph.Names(target);
        var inputs = new JsonObject { ["input_ids"] = names.InputIds, ["attention_mask"] = names.AttentionMask };
        if (names.PositionIds is { } positions)
        {
            inputs["position_ids"] = positions;
        }

        inputs["past_key_names"] = names.PastKey;
        inputs["past_value_names"] = names.PastValue;
        return new JsonObject
        {
            ["session_options"] = new JsonObject { ["log_id"] = "onnxruntime-genai", ["provider_options"] = Provider(target) },
            ["filename"] = graphFile,
            ["head_size"] = shape.HeadSize,
            ["hidden_size"] = shape.HiddenSize,
            ["inputs"] = inputs,
            ["outputs"] = new JsonObject
            {
                ["logits"] = names.Logits,
                ["present_key_names"] = names.PresentKey,
                ["present_value_names"] = names.PresentValue,
            },
            ["num_attention_heads"] = shape.HeadCount,
            ["num_hidden_layers"] = shape.LayerCount,
            ["num_key_value_heads"] = shape.KeyValueHeadCount,
        };
    }

    private static JsonArray Provider(GraphTarget target) =>
        target switch
        {
            GraphTarget.Cuda => [new JsonObject { ["cuda"] = new JsonObject { ["enable_cuda_graph"] = "0" } }],
            GraphTarget.WebGpu =>
            [
                new JsonObject
                {
                    ["webgpu"] = new JsonObject { ["enableGraphCapture"] = "0", ["validationMode"] = "basic" },
                },
            ],
            GraphTarget.DirectML => [new JsonObject { ["dml"] = new JsonObject { ["enable_graph_capture"] = "1" } }],
            _ => [],
        };

    private static JsonObject Search(LlamaShape shape) =>
        new()
        {
            ["diversity_penalty"] = 0.0,
            ["do_sample"] = false,
            ["early_stopping"] = true,
            ["length_penalty"] = 1.0,
            ["max_length"] = shape.ContextLength,
            ["min_length"] = 0,
            ["no_repeat_ngram_size"] = 0,
            ["num_beams"] = 1,
            ["num_return_sequences"] = 1,
            ["past_present_share_buffer"] = true,
            ["repetition_penalty"] = 1.0,
            ["temperature"] = 1.0,
            ["top_k"] = 50,
            ["top_p"] = 1.0,
        };
}
