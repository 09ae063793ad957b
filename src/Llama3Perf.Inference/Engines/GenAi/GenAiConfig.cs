using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>
/// What the engine lays over a folder's <c>genai_config.json</c>. The folder itself is never written to.
/// </summary>
internal static class GenAiConfig
{
    // The library's JSON reader refuses \uXXXX, which the default encoder writes for quotes and for every letter beyond ASCII.
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Refuses what the provider would compute wrongly, or could only ignore.</summary>
    /// <exception cref="EngineException">With the reason.</exception>
    public static void Refuse(ModelFolder folder, EngineOptions options)
    {
        _ = GenAiProvider.Of(options.Provider);
        DeviceRules.CheckGraph(folder, "genai", options.Provider);
        if (options.Device is not null)
        {
            _ = DeviceOption(options);
        }
    }

    /// <summary>Reads a folder's configuration and applies the options to it.</summary>
    public static OgaConfig Open(string folder, EngineOptions options, int threads, string? profile = null)
    {
        OgaConfig config = OgaConfig.Create(folder);
        try
        {
            Oga.Check(Oga.OgaConfigOverlay(config, Overlay(options, threads, profile)));
            Oga.Check(Oga.OgaConfigClearProviders(config));
            if (GenAiProvider.Of(options.Provider) is { } provider)
            {
                Oga.Check(Oga.OgaConfigAppendProvider(config, provider.Name));
                foreach ((string key, string value) in ProviderOptions(options))
                {
                    Oga.Check(Oga.OgaConfigSetProviderOption(config, provider.Name, Escape(key), Escape(value)));
                }
            }

            return config;
        }
        catch
        {
            config.Dispose();
            throw;
        }
    }

    /// <summary>The adapter that DirectML is asked for, as a process-wide key.</summary>
    public static string DirectMLDevice(EngineOptions options)
    {
        Dictionary<string, string> given = ProviderOptions(options);
        return given.TryGetValue("luid", out string? luid) ? $"adapter {luid}"
            : given.TryGetValue("device_index", out string? index) ? $"adapter {index}"
            : "its default adapter";
    }

    /// <summary>Session options and search defaults in the form of <c>genai_config.json</c>.</summary>
    internal static string Overlay(EngineOptions options, int threads, string? profile = null)
    {
        JsonObject session = new()
        {
            // The library's own default is half the logical processors, at most 16.
            ["intra_op_num_threads"] = threads,
            ["graph_optimization_level"] = options.Optimization switch
            {
                OptimizationLevel.None => "ORT_DISABLE_ALL",
                OptimizationLevel.Basic => "ORT_ENABLE_BASIC",
                OptimizationLevel.Extended => "ORT_ENABLE_EXTENDED",
                _ => "ORT_ENABLE_ALL",
            },
        };
        if (options.Provider == ExecutionProvider.Dml)
        {
            session["enable_mem_pattern"] = false;
        }

        if (profile is not null)
        {
            session["enable_profiling"] = profile;
        }

        foreach ((string key, string value) in options.SessionEntries)
        {
            session[key] = value;
        }

        JsonObject root = new() { ["model"] = new JsonObject { ["decoder"] = new JsonObject { ["session_options"] = session } } };
        return root.ToJsonString(s_json);
    }

    private static Dictionary<string, string> ProviderOptions(EngineOptions options)
    {
        Dictionary<string, string> all = new(StringComparer.Ordinal);
        if (options.Device is not null)
        {
            (string key, string value) = DeviceOption(options);
            all[key] = value;
        }

        foreach ((string key, string value) in options.ProviderOptions)
        {
            all[key] = value;
        }

        return all;
    }

    private static (string Key, string Value) DeviceOption(EngineOptions options)
    {
        if (GenAiProvider.Of(options.Provider) is not { DeviceOption: { } key })
        {
            throw new EngineException($"genai cannot choose a device on {options.Provider}: leave --device out");
        }

        return (key, DeviceRules.AdapterIndex("genai", options.Device!).ToString(CultureInfo.InvariantCulture));
    }

    // The library pastes keys and values of provider options into JSON as they are.
    private static string Escape(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
}
