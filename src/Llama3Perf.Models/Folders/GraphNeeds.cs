using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Folders;

/// <summary>
/// The table of everything that a graph may need beyond a decoder's common operators. A provider stands in a row where such a graph was
/// seen to be right there, or where the operators' own documentation says so; everything else is refused by the row's reason.
/// </summary>
public static class GraphNeeds
{
    private static readonly GraphTarget[] s_none = [];
    private static readonly GraphTarget[] s_cpu = [GraphTarget.Cpu];
    private static readonly GraphTarget[] s_cpuAndCuda = [GraphTarget.Cpu, GraphTarget.Cuda];
    private static readonly GraphTarget[] s_all = [GraphTarget.Cpu, GraphTarget.Cuda, GraphTarget.WebGpu, GraphTarget.DirectML];
    private static readonly GraphTarget[] s_allButDirectML = [GraphTarget.Cpu, GraphTarget.Cuda, GraphTarget.WebGpu];
    private static readonly GraphTarget[] s_allButCuda = [GraphTarget.Cpu, GraphTarget.WebGpu, GraphTarget.DirectML];

    private static readonly GraphNeed s_rotationInside = new(
        "is not a DirectML graph: DirectML's GroupQueryAttention leaves out the rotation that this graph asks of it, so every token would "
            + "be wrong; build the folder's DirectML form",
        s_allButDirectML,
        s_allButDirectML
    );

    private static readonly GraphNeed s_rotaryNodes = new(
        "is a DirectML graph: run it with --provider dml, or build the standard form",
        [GraphTarget.Cpu, GraphTarget.DirectML],
        [GraphTarget.Cpu, GraphTarget.DirectML]
    );

    private static readonly GraphNeed s_growingCache = new(
        "has a KV cache that grows by Concat, as MultiHeadAttention wants it, which ort runs on the CPU only and genai on the CPU and "
            + "CUDA; export it with GroupQueryAttention",
        s_cpu,
        s_cpuAndCuda
    );

    /// <summary>A growing cache of float16.</summary>
    internal static GraphNeed HalfGrowingCache { get; } =
        new(
            "has a KV cache that grows by Concat in float16, which ONNX Runtime's CPU provider fails on in the second token; export it "
                + "with GroupQueryAttention, or in fp32",
            s_none,
            [GraphTarget.Cuda]
        );

    /// <summary>GroupQueryAttention over a float32 cache.</summary>
    internal static GraphNeed FloatCache { get; } =
        new(
            "has float32 keys and values, which CUDA's GroupQueryAttention does not take: ONNX Runtime would move it to the CPU and give "
                + "wrong tokens; build it with --provider cuda in fp16, int8 or int4",
            s_allButCuda,
            s_allButCuda
        );

    /// <summary>An embedding in GatherBlockQuantized.</summary>
    internal static GraphNeed QuantizedEmbedding { get; } =
        new(
            "has its embedding in GatherBlockQuantized, which DirectML lacks: genai captures every graph there and refuses one "
                + "that is not on DirectML as a whole, ort computes that node on the CPU; build it with --provider dml, "
                + "which writes a float16 table",
            s_all,
            s_allButDirectML
        );

    /// <summary>Quantized products of float32 activations.</summary>
    internal static GraphNeed FloatActivations { get; } =
        new("has float32 activations, as the CPU wants them; build it with --provider dml", s_allButDirectML, s_allButDirectML);

    /// <summary>bfloat16 activations and cache.</summary>
    internal static GraphNeed BFloat16 { get; } =
        new(
            "has bf16 activations, which genai computes on CUDA and nothing else here; export it with fp16 or fp32 ones",
            s_none,
            [GraphTarget.Cuda]
        );

    /// <summary><c>MatMulNBits</c> with <c>weight_prepacked</c>.</summary>
    internal static GraphNeed PrepackedWeights { get; } =
        new(
            "has weights in the layout of CUDA's kernel (weight_prepacked), which any other provider reads as noise, and which ort does "
                + "not turn on there; run it with --engine genai --provider cuda, or export it without",
            s_none,
            [GraphTarget.Cuda]
        );

    /// <summary>Weights behind <c>DequantizeLinear</c>.</summary>
    internal static GraphNeed QdqWeights { get; } =
        new("has weights behind DequantizeLinear (QDQ), which is computed on the CPU only; export it with MatMulNBits", s_cpu, s_cpu);

    /// <summary>Keys and values of 8 or 4 bits.</summary>
    internal static GraphNeed QuantizedCache { get; } =
        new(
            "has a KV cache of integers, which GroupQueryAttention reads on the CPU and CUDA only; export it without kv_cache_quant_scheme",
            s_cpuAndCuda,
            s_cpuAndCuda
        );

    /// <summary>A window in the attention.</summary>
    internal static GraphNeed Window { get; } =
        new(
            "has a sliding window (local_window_size), which DirectML's GroupQueryAttention leaves out",
            s_allButDirectML,
            s_allButDirectML
        );

    /// <summary>A cache that holds a window only.</summary>
    internal static GraphNeed WindowCache { get; } =
        new(
            "keeps no more than its sliding window in the KV cache (sliding_window_cache), which ort does not; run it with --engine genai, "
                + "or export it with a whole cache",
            s_none,
            s_cpuAndCuda
        );

    /// <summary>Paged attention.</summary>
    internal static GraphNeed Paging { get; } =
        new("has a paged KV cache (PagedAttention), which no engine here runs; export it with GroupQueryAttention", s_none, s_none);

    /// <summary>An <c>If</c> over the length that chooses between rotary tables.</summary>
    internal static GraphNeed LongRope { get; } =
        new(
            "chooses its rotary tables by the length of the sequence (LongRoPE), which ort does on the CPU only and genai on the CPU and "
                + "CUDA",
            s_cpu,
            s_cpuAndCuda
        );

    /// <summary>A shared buffer is asked for, and the cache grows.</summary>
    internal static GraphNeed ContradictorySharing { get; } =
        new(
            "has a KV cache that grows by Concat, and genai_config.json has past_present_share_buffer true, which GenAI would follow; set "
                + "it to false",
            s_all,
            s_none
        );

    /// <summary>Inputs that ort does not know.</summary>
    internal static GraphNeed Inputs(IReadOnlyList<string> names) =>
        new($"has inputs that ort does not feed: {Shown.List(names)}; run it with --engine genai", s_none, s_all);

    /// <summary>Values that no node, input or tensor gives.</summary>
    internal static GraphNeed Missing(IReadOnlyList<string> names) =>
        new($"lacks what should make {Shown.List(names)}; export it again", s_none, s_none);

    private const string LlamaCpp = "llama.cpp";

    private static readonly GraphNeed s_gguf = new(
        "is a GGUF file, which ONNX Runtime does not read: run it with --engine llama.cpp",
        s_none,
        s_none
    );

    /// <summary>All that a folder's graph needs.</summary>
    public static IEnumerable<GraphNeed> Of(ModelFolder folder) =>
        folder.Format == ModelFormat.Gguf
            ? [s_gguf]
            : folder.Needs.Prepend(
                folder.Family switch
                {
                    GraphFamily.DirectML => s_rotaryNodes,
                    GraphFamily.Growing => s_growingCache,
                    _ => s_rotationInside,
                }
            );

    /// <summary>Why an engine must not run a folder on a provider, in one sentence that names the folder; null when it can.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="engine"><c>ort</c>, <c>genai</c>, <c>llama.cpp</c>, or null for any of them.</param>
    /// <param name="provider">The provider.</param>
    public static string? Refusal(ModelFolder folder, string? engine, GraphTarget provider) =>
        (folder.Format, engine) switch
        {
            (ModelFormat.Gguf, null or LlamaCpp) => null,
            (ModelFormat.Onnx, LlamaCpp) =>
                $"{folder.Path} is an ONNX folder, which llama.cpp does not read: make a GGUF file of it with convert --to gguf",
            _ => FirstMissing(folder, engine, provider) is { } need ? $"{folder.Path} {need.Reason}" : null,
        };

    /// <summary>Why an engine over ONNX Runtime cannot keep keys and values as it was asked to, in words that follow its name; null when it
    /// can.</summary>
    /// <param name="type">What was asked for; null for the usual.</param>
    /// <param name="folder">The folder, where there is one already.</param>
    /// <param name="engine"><c>ort</c> or <c>genai</c>.</param>
    /// <param name="provider">The provider.</param>
    public static string? CacheRefusal(KeyValueType? type, ModelFolder? folder, string engine, GraphTarget provider) =>
        type switch
        {
            null => null,
            KeyValueType.Int8 or KeyValueType.Int4 => QuantizedCache.IsMet(engine, provider)
                ? null
                : $"has no KV cache of {type.Value.Name()} there: GroupQueryAttention reads one on the CPU and CUDA only",
            _ => folder is null || (folder.Arithmetic.Activations == "fp16") == (type == KeyValueType.F16)
                ? null
                : $"keeps keys and values as the graph computes, here in {folder.Arithmetic.Activations}; int8 and int4 are what it "
                    + "can make of that",
        };

    /// <summary>What is missing on a provider, or null.</summary>
    internal static GraphNeed? FirstMissing(ModelFolder folder, string? engine, GraphTarget provider) =>
        Of(folder).FirstOrDefault(need => !need.IsMet(engine, provider));
}
