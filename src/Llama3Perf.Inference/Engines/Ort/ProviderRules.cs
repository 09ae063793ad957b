using Llama3Perf.Inference.Native;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Refuses what a provider would compute wrongly without a word, and what it could only ignore.</summary>
internal static class ProviderRules
{
    /// <exception cref="EngineException">With the reason.</exception>
    public static void Check(ModelFolder folder, EngineOptions options)
    {
        OrtProvider? provider = OrtProvider.Of(options.Provider);
        if (options.Speculation is not null || options.PrefillChunk is not null)
        {
            throw new EngineException(
                $"ort has no {(options.Speculation is null ? "divided prefill" : "speculative decoding")}: --engine genai has"
            );
        }

        DeviceRules.CheckGraph(folder, "ort", options.Provider);
        LibraryRules.Check(folder);
        if (provider is not null)
        {
            CheckDevice(provider, options);
            CheckLoop(provider, options);
            CheckCapture(provider, options);
        }
        else if (options.Device is not null || options.ProviderOptions.Count > 0)
        {
            throw new EngineException("the CPU provider takes no device and no provider options");
        }
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
        if (index is not null)
        {
            _ = DeviceRules.AdapterIndex("ort", index);
        }
    }

    private static void CheckLoop(OrtProvider provider, EngineOptions options)
    {
        if (options.Loop == DecodeLoop.Device && provider.Loop != DecodeLoop.Device)
        {
            throw new EngineException(
                $"--loop device is refused on {provider.OnnxRuntimeName} of a --provider-library: it has not been proven there to give "
                    + "the host's tokens; use --loop host"
            );
        }
    }

    private static void CheckCapture(OrtProvider provider, EngineOptions options)
    {
        if (provider.CapturesWith(options))
        {
            return;
        }

        KeyValuePair<string, string> capture = options
            .ProviderOptions.Concat(options.SessionEntries)
            .FirstOrDefault(pair =>
                pair.Key.EndsWith(provider.CaptureOption, StringComparison.OrdinalIgnoreCase) && !OrtProvider.IsOff(pair.Value)
            );
        if (capture.Key is not null)
        {
            throw new EngineException(
                $"{capture.Key}={capture.Value} is refused: a captured graph replays the addresses of its first step, this engine binds "
                    + "inputs from CPU memory anew each step, and the result is wrong (NaN on DirectML) without an error"
            );
        }
    }
}
