using System.Globalization;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Refuses what a provider would compute wrongly without a word, and what it could only ignore.</summary>
internal static class ProviderRules
{
    private static string? s_directMLDevice;

    /// <exception cref="EngineException">With the reason.</exception>
    public static void Check(ModelFolder folder, EngineOptions options)
    {
        CheckFamily(folder, options.Provider);
        if (OrtProvider.Of(options.Provider) is { } provider)
        {
            CheckDevice(provider, options);
            CheckCapture(provider, options);
        }
        else if (options.Device is not null || options.ProviderOptions.Count > 0)
        {
            throw new EngineException("the CPU provider takes no device and no provider options");
        }
    }

    /// <summary>Remembers the adapter of the process's first DirectML model and refuses another one beside it.</summary>
    /// <exception cref="EngineException">Another adapter was taken before.</exception>
    public static void TakeDirectMLDevice(string device)
    {
        string? taken = Interlocked.CompareExchange(ref s_directMLDevice, device, null);
        if (taken is not null && taken != device)
        {
            throw new EngineException($"this process runs DirectML on adapter {taken} and cannot use adapter {device} beside it; run each adapter in a process of its own");
        }
    }

    private static void CheckFamily(ModelFolder folder, ExecutionProvider provider)
    {
        // The CPU computes both forms rightly.
        if (OrtProvider.Of(provider)?.Family is not { } wanted || folder.Family == wanted)
        {
            return;
        }

        throw new EngineException(wanted == GraphFamily.DirectML
            ? $"{folder.Path} is not a DirectML graph: DirectML's GroupQueryAttention leaves out the rotation that this graph asks of it, so every token would be wrong; build the folder's DirectML form"
            : $"{folder.Path} is a DirectML graph: run it with --provider dml, or build the standard form for {provider}");
    }

    private static void CheckDevice(OrtProvider provider, EngineOptions options)
    {
        if (provider.DeviceOption is not { } option)
        {
            if (options.Device is not null)
            {
                throw new EngineException($"ONNX Runtime's {provider.OnnxRuntimeName} cannot choose an adapter; leave --device out");
            }

            return;
        }

        string? other = options.ProviderOptions.GetValueOrDefault(option);
        if (options.Device is { } device && other is not null && other != device)
        {
            throw new EngineException($"--device {device} contradicts the provider option {option}={other}; give one of them");
        }

        string? index = options.Device ?? other;
        if (index is not null && !ushort.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            throw new EngineException($"ort takes the adapter's index, and '{index}' is none: -- probe lists the adapters");
        }
    }

    private static void CheckCapture(OrtProvider provider, EngineOptions options)
    {
        KeyValuePair<string, string> capture = options.ProviderOptions.Concat(options.SessionEntries)
            .FirstOrDefault(pair => pair.Key.EndsWith(provider.CaptureOption, StringComparison.OrdinalIgnoreCase)
                && pair.Value is not "0" && !pair.Value.Equals("false", StringComparison.OrdinalIgnoreCase));
        if (capture.Key is not null)
        {
            throw new EngineException(
                $"{capture.Key}={capture.Value} is refused: a captured graph replays the addresses of its first step, this engine binds inputs from CPU memory anew each step, and the result is wrong (NaN on DirectML) without an error");
        }
    }
}
