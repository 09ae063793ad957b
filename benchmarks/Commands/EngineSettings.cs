using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>The options that say how an engine loads a model, the same for every verb that loads one.</summary>
/// <param name="areThreadsListed">Whether the verb takes several numbers of threads.</param>
internal sealed class EngineSettings(bool areThreadsListed = false)
{
    private readonly Option<string?> _device = OptionFactory.Value(
        "--device",
        "GPU: its index, or part of its name. Default: the provider's first.",
        OptionFactory.Text,
        "index|name"
    );

    private readonly Option<IReadOnlyList<int>?> _threads = OptionFactory.List(
        "--threads",
        "Intra-op threads. Default: one for each physical core.",
        OptionFactory.Integer(1, 1024),
        areThreadsListed ? "list" : "n"
    );

    private readonly Option<IReadOnlyDictionary<string, string>?> _providerOptions = OptionFactory.Pairs(
        "--provider-option",
        "Option of the execution provider; repeatable. genai:enable_cuda_graph=1 is for that engine alone."
    );

    private readonly Option<IReadOnlyDictionary<string, string>?> _sessionEntries = OptionFactory.Pairs(
        "--session-entry",
        "ONNX Runtime session configuration entry; repeatable. ort:session.disable_prepacking=1 is for that engine alone."
    );

    private readonly Option<OptimizationLevel?> _optimization = OptionFactory.Value<OptimizationLevel?>(
        "--graph-optimization",
        "ONNX Runtime's graph optimizations: none, basic, extended, all. Default: all.",
        OptionFactory.OneOf<OptimizationLevel?>(
            ("none", OptimizationLevel.None),
            ("basic", OptimizationLevel.Basic),
            ("extended", OptimizationLevel.Extended),
            ("all", OptimizationLevel.All)
        ),
        "level"
    );

    private readonly Option<DecodeLoop?> _loop = OptionFactory.Value<DecodeLoop?>(
        "--loop",
        "How ort hands a token to the next step: host, or device, where the graph chooses it. Default: device on GPUs, else host.",
        OptionFactory.OneOf<DecodeLoop?>(("host", DecodeLoop.Host), ("device", DecodeLoop.Device)),
        "loop"
    );

    private readonly Option<KeyValueType?> _keyValueType = OptionFactory.Value<KeyValueType?>(
        "--kv-type",
        "KV cache: f16, f32, int8, int4. Default: f16 in llama.cpp, in ort and genai as the graph computes: f32 on the CPU.",
        OptionFactory.OneOf<KeyValueType?>([.. Enum.GetValues<KeyValueType>().Select(type => (type.Name(), (KeyValueType?)type))]),
        "type"
    );

    private readonly Option<FlashAttention?> _flashAttention = OptionFactory.Value<FlashAttention?>(
        "--flash-attention",
        "llama.cpp's fused attention: auto, on, off. Default: auto, which leaves it to llama.cpp.",
        OptionFactory.OneOf<FlashAttention?>(("auto", FlashAttention.Auto), ("on", FlashAttention.On), ("off", FlashAttention.Off)),
        "auto|on|off"
    );

    /// <summary>In the order of a verb's help.</summary>
    public Option[] All => [_device, _threads, _providerOptions, _sessionEntries, _optimization, _loop, _keyValueType, _flashAttention];

    /// <summary>Adds them to a verb.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in All)
        {
            command.Add(option);
        }
    }

    /// <summary>What was given, over what a verb begins with.</summary>
    /// <exception cref="UsageException">Several numbers of threads for a verb that takes one.</exception>
    public SuiteOptions Over(SuiteOptions basis, ParseResult parsed)
    {
        IReadOnlyList<int>? threads = parsed.GetValue(_threads);
        if (threads?.Count > 1 && !areThreadsListed)
        {
            throw new UsageException("--threads: one number here; run takes several");
        }

        return basis with
        {
            Device = parsed.GetValue(_device) ?? basis.Device,
            Threads = threads is [var least, ..] ? least : basis.Threads,
            ThreadCounts = threads?.Count > 1 ? threads : null,
            ProviderOptions = parsed.GetValue(_providerOptions) ?? basis.ProviderOptions,
            SessionEntries = parsed.GetValue(_sessionEntries) ?? basis.SessionEntries,
            Optimization = parsed.GetValue(_optimization) ?? basis.Optimization,
            Loop = parsed.GetValue(_loop) ?? basis.Loop,
            KeyValueType = parsed.GetValue(_keyValueType) ?? basis.KeyValueType,
            FlashAttention = parsed.GetValue(_flashAttention) ?? basis.FlashAttention,
        };
    }
}
