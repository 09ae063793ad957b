using System.Globalization;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>How ONNX Runtime speaks of an execution provider whose model runs on a device: one row each. The CPU has none.</summary>
/// <param name="Provider">The provider.</param>
/// <param name="OnnxRuntimeName">Name in ONNX Runtime's list of compiled-in providers, and in its profiles.</param>
/// <param name="MemoryName">Name of its device memory, where the KV cache lives; null where that is the CPU's.</param>
/// <param name="MemoryHasDeviceIndex">True when that memory is known by the adapter's index too; DirectML's and WebGPU's is number 0 on any
/// adapter.</param>
/// <param name="DeviceOption">Provider option that takes the adapter's index; null when there is none.</param>
/// <param name="CaptureOption">End of the option or session entry that turns graph capture on.</param>
/// <param name="Loop">How tokens travel by default: what was seen to be right there, and faster.</param>
/// <param name="UpdatesInPlace">False where a sum may stay as it was when it is written into the buffer of one of its terms.</param>
/// <param name="Append">Adds the provider to a session's options.</param>
internal sealed record OrtProvider(
    ExecutionProvider Provider,
    string OnnxRuntimeName,
    string? MemoryName,
    bool MemoryHasDeviceIndex,
    string? DeviceOption,
    string CaptureOption,
    DecodeLoop Loop,
    bool UpdatesInPlace,
    Action<SessionOptions, Dictionary<string, string>> Append
)
{
    private const string DirectMLDevice = "device_id";
    private const string DirectMLCapture = "enable_graph_capture";

    private static readonly OrtProvider[] s_all =
    [
        new(
            ExecutionProvider.Dml,
            "DmlExecutionProvider",
            "DML",
            false,
            DirectMLDevice,
            DirectMLCapture,
            DecodeLoop.Device,
            false,
            AppendDirectML
        ),
        new(
            ExecutionProvider.Cuda,
            "CUDAExecutionProvider",
            "Cuda",
            true,
            "device_id",
            "enable_cuda_graph",
            DecodeLoop.Device,
            true,
            AppendCuda
        ),
        new(
            ExecutionProvider.WebGpu,
            "WebGpuExecutionProvider",
            "WebGPU_Buffer",
            false,
            null,
            "enableGraphCapture",
            DecodeLoop.Device,
            false,
            AppendWebGpu
        ),
    ];

    /// <summary>The row of a provider; null for the CPU.</summary>
    /// <exception cref="EngineException">It is none of ONNX Runtime's, and must not pass for the CPU.</exception>
    public static OrtProvider? Of(ExecutionProvider provider) =>
        provider.ForeignDeviceReason() is { } foreign ? throw new EngineException(foreign)
        : provider == ExecutionProvider.Plugin ? Plugin()
        : Array.Find(s_all, row => row.Provider == provider);

    /// <summary>The loop on a provider when none is asked for.</summary>
    public static DecodeLoop LoopOn(ExecutionProvider provider) =>
        Array.Find(s_all, row => row.Provider == provider)?.Loop ?? DecodeLoop.Host;

    /// <summary>The device memory that a session allocates its KV cache in.</summary>
    public OrtMemoryInfo DeviceMemory(EngineOptions options) =>
        Provider == ExecutionProvider.Plugin
            ? OwnMemory(PluginProvider.Devices[0])!
            : new OrtMemoryInfo(
                MemoryName!,
                OrtAllocatorType.DeviceAllocator,
                MemoryHasDeviceIndex ? DeviceIndex(options) : 0,
                OrtMemType.Default
            );

    /// <summary>True when steps are to be captured: those of a device loop, unless the options say no.</summary>
    public bool CapturesWith(EngineOptions options) =>
        (options.Loop ?? Loop) == DecodeLoop.Device
        && options
            .ProviderOptions.Concat(options.SessionEntries)
            .All(pair => !pair.Key.EndsWith(CaptureOption, StringComparison.OrdinalIgnoreCase) || !IsOff(pair.Value));

    /// <summary>True for what ONNX Runtime's options take for no.</summary>
    public static bool IsOff(string value) => value is "0" || value.Equals("false", StringComparison.OrdinalIgnoreCase);

    /// <summary>What a reader of the engine's figures has to know; null when there is nothing.</summary>
    public string? Caution(bool captures) =>
        Provider == ExecutionProvider.Dml && !captures
            ? "DirectML compiles its fused graph anew in every call of this loop: 20 to 35 times slower than genai, and no measure of "
                + "DirectML's speed"
            : null;

    /// <summary>Adds the provider to a session's options, with the settings that it needs.</summary>
    public void AddTo(SessionOptions session, EngineOptions options, bool captures)
    {
        Dictionary<string, string> values = new(options.ProviderOptions);
        values.Remove(CaptureOption);
        if (captures)
        {
            values[CaptureOption] = "1";
        }

        if (options.Device is { } device)
        {
            values[DeviceOption!] = device;
        }

        Append(session, values);
    }

    /// <summary>Index of the adapter that the options ask for, 0 when they leave it open.</summary>
    public int DeviceIndex(EngineOptions options)
    {
        string? index = options.Device ?? (DeviceOption is null ? null : options.ProviderOptions.GetValueOrDefault(DeviceOption));
        return index is null ? 0 : int.Parse(index, CultureInfo.InvariantCulture);
    }

    /// <summary>The provider of the registered library, on the first of its devices.</summary>
    private static OrtProvider Plugin()
    {
        if (PluginProvider.Problem() is { } problem)
        {
            throw new EngineException(problem);
        }

        OrtEpDevice device = PluginProvider.Devices[0];
        return new OrtProvider(
            ExecutionProvider.Plugin,
            device.EpName,
            OwnMemory(device)?.Name,
            false,
            null,
            "enable_graph_capture",
            DecodeLoop.Host,
            false,
            (session, options) => session.AppendExecutionProvider(NativeLibraries.OnnxRuntimeEnvironment(), [device], options)
        );
    }

    // A provider for the CPU has none of its own.
    private static OrtMemoryInfo? OwnMemory(OrtEpDevice device) =>
        device.GetMemoryInfo(OrtDeviceMemoryType.DEFAULT) is { IsInvalid: false } memory && memory.Name != "Cpu" ? memory : null;

    private static void AppendDirectML(SessionOptions session, Dictionary<string, string> options)
    {
        // DirectML supports neither memory patterns nor parallel execution.
        session.EnableMemoryPattern = false;
        if (options.Remove(DirectMLCapture))
        {
            session.AddSessionConfigEntry($"ep.dml.{DirectMLCapture}", "1");
        }

        // By its index, as DXGI counts: ONNX Runtime's own choice needs DXCore, which older systems lack, and tells nobody what it took.
        if (
            !options.ContainsKey(DirectMLDevice)
            && !options.ContainsKey("performance_preference")
            && DirectMLAdapter.Default is { } adapter
        )
        {
            options[DirectMLDevice] = adapter.Index.ToString(CultureInfo.InvariantCulture);
        }

        if (options.Count == 1 && options.TryGetValue(DirectMLDevice, out string? device))
        {
            session.AppendExecutionProvider_DML(int.Parse(device, CultureInfo.InvariantCulture));
            return;
        }

        session.AppendExecutionProvider("DML", options);
    }

    private static void AppendWebGpu(SessionOptions session, Dictionary<string, string> options)
    {
        // Else what computes with int64 stays on the CPU, which a captured step has none of, and a bound copy reads its source once.
        options.TryAdd("enableInt64", "1");
        session.AppendExecutionProvider("WebGPU", options);
    }

    private static void AppendCuda(SessionOptions session, Dictionary<string, string> options)
    {
        using OrtCUDAProviderOptions cuda = new();
        cuda.UpdateOptions(options);
        session.AppendExecutionProvider_CUDA(cuda);
    }
}
