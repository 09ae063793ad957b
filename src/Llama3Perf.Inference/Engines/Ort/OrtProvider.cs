using System.Globalization;
using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>How ONNX Runtime speaks of an execution provider whose model runs on a device. The CPU has no row.</summary>
/// <param name="Provider">The provider.</param>
/// <param name="OnnxRuntimeName">Name in ONNX Runtime's list of compiled-in providers, and in its profiles.</param>
/// <param name="MemoryName">Name of its device memory, where the KV cache lives.</param>
/// <param name="DeviceOption">Provider option that takes the adapter's index; null when there is none.</param>
/// <param name="Family">The only graph form that it computes rightly.</param>
/// <param name="CaptureOption">Option that turns on graph capture, which computes garbage with inputs bound from CPU memory.</param>
/// <param name="Append">Adds the provider to a session's options.</param>
internal sealed record OrtProvider(
    ExecutionProvider Provider,
    string OnnxRuntimeName,
    string MemoryName,
    string? DeviceOption,
    GraphFamily Family,
    string CaptureOption,
    Action<SessionOptions, Dictionary<string, string>> Append)
{
    private static readonly OrtProvider[] s_all =
    [
        new(ExecutionProvider.Dml, "DmlExecutionProvider", "DML", "device_id", GraphFamily.DirectML, "ep.dml.enable_graph_capture", AppendDirectML),
        new(ExecutionProvider.Cuda, "CUDAExecutionProvider", "Cuda", "device_id", GraphFamily.Standard, "enable_cuda_graph", AppendCuda),
        new(ExecutionProvider.WebGpu, "WebGpuExecutionProvider", "WebGPU_Buffer", null, GraphFamily.Standard, "enableGraphCapture", (session, options) => session.AppendExecutionProvider("WebGPU", options)),
    ];

    /// <summary>The row of a provider; null for the CPU.</summary>
    public static OrtProvider? Of(ExecutionProvider provider) => Array.Find(s_all, row => row.Provider == provider);

    /// <summary>Refuses what the provider would compute wrongly without a word, and what it could only ignore.</summary>
    /// <exception cref="EngineException">With the reason.</exception>
    public static void Refuse(ModelFolder folder, EngineOptions options)
    {
        GraphFamily wanted = Of(options.Provider)?.Family ?? GraphFamily.Standard;
        if (folder.Family != wanted)
        {
            throw new EngineException(wanted == GraphFamily.DirectML
                ? $"{folder.Path} is not a DirectML graph: DirectML's GroupQueryAttention leaves out the rotation that this graph asks of it, so every token would be wrong; build the folder's DirectML form"
                : $"{folder.Path} is a DirectML graph: run it with --provider dml, or build the standard form for {options.Provider}");
        }

        if (Of(options.Provider) is not { } provider)
        {
            if (options.Device is not null || options.ProviderOptions.Count > 0)
            {
                throw new EngineException("the CPU provider takes no device and no provider options");
            }

            return;
        }

        if (options.Device is not null && provider.DeviceOption is null)
        {
            throw new EngineException($"ONNX Runtime's {provider.OnnxRuntimeName} cannot choose an adapter; leave --device out");
        }

        if (options.ProviderOptions.Concat(options.SessionEntries).Any(pair => pair.Key == provider.CaptureOption && pair.Value is not ("0" or "false")))
        {
            throw new EngineException($"{provider.CaptureOption} is refused: with inputs from CPU memory, as this engine binds them, captured graphs compute NaN without an error");
        }
    }

    /// <summary>Adds the provider to a session's options, with the settings that it needs.</summary>
    public void AddTo(SessionOptions session, EngineOptions options)
    {
        Dictionary<string, string> values = new(options.ProviderOptions);
        if (options.Device is { } device)
        {
            values[DeviceOption!] = device;
        }

        Append(session, values);
    }

    private static void AppendDirectML(SessionOptions session, Dictionary<string, string> options)
    {
        // DirectML supports neither memory patterns nor parallel execution.
        session.EnableMemoryPattern = false;
        session.AppendExecutionProvider_DML(options.TryGetValue("device_id", out string? device) ? int.Parse(device, CultureInfo.InvariantCulture) : 0);
    }

    private static void AppendCuda(SessionOptions session, Dictionary<string, string> options)
    {
        using OrtCUDAProviderOptions cuda = new();
        cuda.UpdateOptions(options);
        session.AppendExecutionProvider_CUDA(cuda);
    }
}
