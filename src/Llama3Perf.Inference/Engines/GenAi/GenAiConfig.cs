using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
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
        RefuseIgnored(options);
        RefuseSpeculation(folder, options);
        DeviceRules.CheckGraph(folder, "genai", options.Provider);
        LibraryRules.Check(folder);
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
            if (options.Speculation?.Draft is { } draft)
            {
                Oga.Check(Oga.OgaConfigOverlay(config, DraftOverlay(folder, draft, options, threads)));
            }

            Oga.Check(Oga.OgaConfigClearProviders(config));
            if (GenAiProvider.Of(options.Provider) is { } provider)
            {
                Oga.Check(Oga.OgaConfigAppendProvider(config, provider.Name));
                Dictionary<string, string> values = ProviderOptions(options);
                bool escapes = values.Any(pair => pair.Key + pair.Value != Escape(pair.Key) + Escape(pair.Value)) && LibraryEscapes(folder);
                foreach ((string key, string value) in values)
                {
                    (string k, string v) = escapes ? (key, value) : (Escape(key), Escape(value));
                    Oga.Check(Oga.OgaConfigSetProviderOption(config, provider.Name, k, v));
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
    internal static string Overlay(EngineOptions options, int threads, string? profile = null) =>
        new JsonObject
        {
            ["model"] = new JsonObject { ["decoder"] = new JsonObject { ["session_options"] = SessionOptions(options, threads, profile) } },
        }.ToJsonString(s_json);

    private static JsonObject SessionOptions(EngineOptions options, int threads, string? profile)
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

        return session;
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

        if (
            options.Provider == ExecutionProvider.Dml
            && !all.Keys.Any(key => key is "luid" or "device_index" or "performance_preference")
            && DirectMLAdapter.Default is { } adapter
        )
        {
            all["device_index"] = adapter.Index.ToString(CultureInfo.InvariantCulture);
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

    /// <summary>
    /// The folder's own options of the provider that are in force: the library keeps those of the provider that it is given, where ours
    /// do not set the same, and drops those of all others.
    /// </summary>
    internal static IReadOnlyDictionary<string, string> OwnOptions(string folder, EngineOptions options)
    {
        Dictionary<string, string> own = new(StringComparer.Ordinal);
        if (GenAiProvider.Of(options.Provider) is not { } provider)
        {
            return own;
        }

        // On DirectML the adapter is always named.
        bool isDeviceOurs = options.Device is not null || options.Provider == ExecutionProvider.Dml;
        foreach (
            (string key, JsonNode? value) in ((Decoder(folder)["session_options"] as JsonObject)?["provider_options"] as JsonArray ?? [])
                .OfType<JsonObject>()
                .SelectMany(entry => entry)
                .Where(entry => entry.Key.Equals(provider.Name, StringComparison.OrdinalIgnoreCase))
                .SelectMany(entry => entry.Value as JsonObject ?? [])
                .Where(option => !options.ProviderOptions.ContainsKey(option.Key))
                .Where(option => !(isDeviceOurs && option.Key == provider.DeviceOption))
        )
        {
            own[key] = $"{value}";
        }

        return own;
    }

    private static JsonObject Decoder(string folder)
    {
        string file = Path.Combine(folder, "genai_config.json");
        return File.Exists(file) ? JsonNode.Parse(File.ReadAllText(file))?["model"]?["decoder"] as JsonObject ?? [] : [];
    }

    // On DirectML the library captures its graph whatever it is told.
    private static void RefuseIgnored(EngineOptions options)
    {
        const string Capture = "enable_graph_capture";
        KeyValuePair<string, string> ignored = options
            .ProviderOptions.Concat(options.SessionEntries)
            .FirstOrDefault(pair => pair.Key.EndsWith(Capture, StringComparison.OrdinalIgnoreCase));
        if (options.Provider == ExecutionProvider.Dml && ignored.Key is not null)
        {
            throw new EngineException(
                $"{ignored.Key}={ignored.Value} is refused: genai captures its graph on DirectML whatever this says; leave it out"
            );
        }

        if (options.Provider == ExecutionProvider.Cpu && options.ProviderOptions.Count > 0)
        {
            throw new EngineException("the CPU provider takes no provider options");
        }
    }

    private static void RefuseSpeculation(ModelFolder folder, EngineOptions options)
    {
        if (options.PrefillChunk is not null && options.Provider == ExecutionProvider.Dml)
        {
            throw new EngineException("DirectML computes a second part of a prompt wrongly: leave the prefill chunk out there");
        }

        if (options.Speculation?.Draft is { } draft && draft.VocabularySize != folder.VocabularySize)
        {
            throw new EngineException(
                $"the draft {draft.Path} has a vocabulary of {draft.VocabularySize} and {folder.Path} one of {folder.VocabularySize}: they "
                    + "must be of one tokenizer"
            );
        }
    }

    // The draft's decoder, with its file where it lies and our session options.
    private static string DraftOverlay(string folder, ModelFolder draft, EngineOptions options, int threads)
    {
        JsonObject decoder = (JsonObject)Decoder(draft.Path).DeepClone();
        // The library puts the folder's path in front of whatever stands here.
        decoder["filename"] = Path.GetRelativePath(folder, draft.GraphPath).Replace('\\', '/');
        decoder["session_options"] = SessionOptions(options, threads, profile: null);
        return new JsonObject { ["model"] = new JsonObject { ["draft"] = decoder } }.ToJsonString(s_json);
    }

    // Libraries before 0.18 paste keys and values of provider options into JSON as they are, so that a quote ends in a syntax error.
    private static bool LibraryEscapes(string folder)
    {
        using OgaConfig trial = OgaConfig.Create(folder);
        try
        {
            Oga.Check(Oga.OgaConfigSetProviderOption(trial, "cuda", "\"", ""));
            return true;
        }
        catch (EngineException)
        {
            return false;
        }
    }

    private static string Escape(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
}
