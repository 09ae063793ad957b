namespace Llama3Perf.Benchmarks.Tests.Engines.LlamaBench;

/// <summary>Reports of llama-bench in its format, with small numbers.</summary>
internal static class LlamaBenchTexts
{
    /// <summary>A version that knows a depth, on a GPU.</summary>
    public const string New = """
        [
          {
            "build_commit": "8cf427ff",
            "build_number": 5163,
            "cpu_info": "AMD Ryzen 7 7800X3D 8-Core Processor",
            "gpu_info": "NVIDIA GeForce RTX 4080",
            "backends": "CUDA",
            "model_filename": "models/llama-1b-q4_0.gguf",
            "model_type": "llama 1B Q4_0",
            "model_size": 727441408,
            "model_n_params": 1235814432,
            "n_batch": 2048,
            "n_ubatch": 512,
            "cpu_mask": "0x0",
            "cpu_strict": false,
            "poll": 50,
            "n_threads": 8,
            "type_k": "f16",
            "n_gpu_layers": 99,
            "tensor_split": "0.00",
            "n_prompt": 0,
            "n_gen": 4,
            "n_depth": 16,
            "test_time": "2025-04-24T11:57:09Z",
            "avg_ns": 9000000,
            "stddev_ns": 1000000,
            "avg_ts": 450.0,
            "stddev_ts": 50.0,
            "samples_ns": [ 8000000, 10000000 ],
            "samples_ts": [ 500, 400.0 ]
          }
        ]
        """;

    /// <summary>A version that does not, on a processor.</summary>
    public const string Old = """
        [
          {
            "build_commit": "1a2b3c4d",
            "build_number": 4242,
            "cpu_info": "A processor",
            "gpu_info": "",
            "backends": "CPU",
            "model_filename": "a.gguf",
            "model_type": "llama 1B all F32",
            "model_size": 1000,
            "model_n_params": 250,
            "n_threads": 4,
            "n_gpu_layers": 99,
            "n_prompt": 16,
            "n_gen": 0,
            "test_time": "2024-12-01T00:00:00Z",
            "avg_ns": 4000000,
            "stddev_ns": 0,
            "avg_ts": 4000.0,
            "stddev_ts": 0.0,
            "samples_ns": [ 4000000 ],
            "samples_ts": [ 4000 ]
          }
        ]
        """;

    /// <summary>One test of two repetitions, on one line.</summary>
    public static string Test(
        int promptTokens,
        int newTokens,
        int? depth = null,
        string backends = "CPU",
        string gpu = "",
        string samples = "8000000,10000000"
    ) =>
        $$"""[{"build_commit":"abc","build_number":7,"gpu_info":"{{gpu}}","backends":"{{backends}}","model_type":"llama 1B Q4_0","n_threads":4,"n_prompt":{{promptTokens}},"n_gen":{{newTokens}},{{(depth is { } known ? $"\"n_depth\":{known}," : "")}}"samples_ns":[{{samples}}],"samples_ts":[500,400]}]""";
}
