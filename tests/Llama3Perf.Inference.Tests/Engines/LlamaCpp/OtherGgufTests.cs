using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;

namespace Llama3Perf.Inference.Tests.Engines.LlamaCpp;

/// <summary>GGUF files that the suite does not write: ONNX Runtime's engines refuse them with the reason, llama.cpp runs them or says why
/// not.</summary>
public sealed class OtherGgufTests : IDisposable
{
    private const int Hidden = 256;
    private const int Vocabulary = 64;

    private static readonly GgufType s_kQuants = GgufType.Find(12)!;

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-other-gguf-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("llama", true, "q4_k", null)]
    [InlineData("qwen2", true, "q4_k", null)]
    [InlineData("qwen2", false, "fp16", null)]
    [InlineData("parrot", false, "fp16", "unknown model architecture")]
    [InlineData("gpt2", false, "fp16", "missing tensor")]
    public void A_file_of_others_runs_on_llama_cpp_or_is_refused_by_name(
        string architecture,
        bool isQuantized,
        string storage,
        string? reason
    )
    {
        string file = Path.Combine(_folder, "other.gguf");
        Write(file, architecture, isQuantized ? s_kQuants : GgufType.F16);
        ModelFolder folder = ModelFolderReader.Open(file);

        Assert.Equal((storage, ModelFormat.Gguf), (folder.Storage, folder.Format));
        foreach (string engine in (string[])["ort", "genai"])
        {
            string refusal = $"{file} is a GGUF file, which ONNX Runtime does not read: run it with --engine llama.cpp";
            Assert.Equal(refusal, GraphNeeds.Refusal(folder, engine, GraphTarget.Cpu));
            Assert.Equal(refusal, Assert.Throws<EngineException>(() => Load(engine, folder)).Message);
        }

        if (reason is not null)
        {
            string refused = Assert.Throws<EngineException>(() => Load("llama.cpp", folder)).Message;
            Assert.Contains(file, refused, StringComparison.Ordinal);
            Assert.Contains(reason, refused, StringComparison.Ordinal);
            return;
        }

        using IEngine loaded = Load("llama.cpp", folder);
        Assert.Equal(4, TimedGeneration.Run(loaded, [1, 2, 3], maxLength: 7).NewTokens.Length);
    }

    private static IEngine Load(string engine, ModelFolder folder) =>
        EngineCatalog.Get(engine).Load(folder, new EngineOptions { Threads = 1 });

    // One layer of zeros: what it computes is nobody's concern.
    private static void Write(string file, string architecture, GgufType type)
    {
        using GgufHeader header = new();
        header.Add("general.architecture", architecture);
        foreach (
            (string key, uint value) in ((string, uint)[])
                [
                    ("context_length", 64),
                    ("embedding_length", Hidden),
                    ("feed_forward_length", Hidden),
                    ("block_count", 1),
                    ("attention.head_count", 4),
                    ("attention.head_count_kv", 4),
                    ("vocab_size", Vocabulary),
                ]
        )
        {
            header.Add($"{architecture}.{key}", value);
        }

        header.Add($"{architecture}.attention.layer_norm_rms_epsilon", 1e-5f);
        header.Add($"{architecture}.attention.layer_norm_epsilon", 1e-5f);
        header.Add("tokenizer.ggml.model", "no_vocab");
        List<GgufTensor> tensors = [];
        Add("token_embd.weight", type, Hidden, Vocabulary);
        Add("output_norm.weight", GgufType.F32, Hidden);
        foreach (string name in (string[])["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"])
        {
            Add($"blk.0.{name}.weight", type, Hidden, Hidden);
        }

        foreach (string name in (string[])["attn_norm", "ffn_norm"])
        {
            Add($"blk.0.{name}.weight", GgufType.F32, Hidden);
        }

        if (architecture == "qwen2")
        {
            foreach (string name in (string[])["attn_q", "attn_k", "attn_v"])
            {
                Add($"blk.0.{name}.bias", GgufType.F32, Hidden);
            }
        }

        GgufTensor last = tensors[^1];
        File.WriteAllBytes(file, [.. header.ToArray(tensors), .. new byte[last.Offset + Aligned(last.Length)]]);

        void Add(string name, GgufType of, params long[] dims)
        {
            long offset = tensors is [.., var before] ? before.Offset + Aligned(before.Length) : 0;
            tensors.Add(new GgufTensor(name, of, dims, offset, of.Bytes(dims.Aggregate(1L, (product, size) => product * size))));
        }
    }

    private static long Aligned(long length) => (length + GgufHeader.Alignment - 1) / GgufHeader.Alignment * GgufHeader.Alignment;
}
