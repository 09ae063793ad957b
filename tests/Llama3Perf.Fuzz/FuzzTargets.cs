using System.Text;
using System.Text.Json;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Models;
using Llama3Perf.Results;

namespace Llama3Perf.Fuzz;

/// <summary>The table of readers.</summary>
internal static partial class FuzzTargets
{
    private static readonly Dictionary<string, Func<string, FuzzTarget>> s_all = new(StringComparer.Ordinal)
    {
        ["samples.csv"] = Samples,
        ["results.csv"] = Results,
        ["tokens.csv"] = Tokens,
        ["noise"] = Noise,
        ["invocation"] = Invocation,
        ["beginning"] = Beginning,
        ["journal"] = Journal,
        ["llama-bench-launch"] = LlamaBenchLaunches,
        ["measurement-line"] = MeasurementLines,
        ["llama-bench"] = LlamaBench,
        ["config.json"] = Config,
        ["genai_config.json"] = GenAiConfig,
        ["onnx"] = Onnx,
        ["safetensors"] = Safetensors,
        ["safetensors-index"] = SafetensorsIndex,
        ["tokenizer.json"] = Tokenizer,
        ["reference.json"] = References,
        ["peer-greeting"] = PeerGreetings,
        ["peer-load"] = PeerLoads,
        ["peer-generate"] = PeerGenerations,
        ["placement-profile"] = Placement,
        ["native-image"] = NativeImages,
        ["machine"] = Machines,
        ["option-value"] = OptionValues,
    };

    /// <summary>Names of all readers.</summary>
    public static IEnumerable<string> Names => s_all.Keys;

    /// <summary>A reader with its good inputs.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="folder">An empty folder of its own.</param>
    public static FuzzTarget Create(string name, string folder) => s_all[name](folder);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static bool OfModels(Exception e) => e is ModelException;

    private static bool OfEngines(Exception e) => e is EngineException or ModelException;

    private static bool OfResults(Exception e) => e is RunFileException;

    private static bool OfCommandLine(Exception e) =>
        e is UsageException or EngineException or ModelException or ArgumentException { ParamName: "name" };

    // What the peer's process turns into a failure of the peer.
    private static bool OfMessages(Exception e) => e is JsonException or InvalidOperationException or NotSupportedException;

    private static bool Never(Exception e) => false;
}
