using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>
/// Where onnxruntime-genai's model really runs: a model of its own, loaded for this, computes two tokens under ONNX Runtime's profiler,
/// which that library ends only when the model is closed. What the library itself tells is the device of the model, not of its nodes.
/// </summary>
internal static class GenAiPlacement
{
    /// <summary>Why the model may not be reported as the provider's, or null.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="options">How it is loaded; a captured graph would hide its nodes, so it is left out.</param>
    /// <param name="onnxRuntimeName">ONNX Runtime's name of the provider.</param>
    /// <exception cref="EngineException">The model cannot be loaded or does not run.</exception>
    public static string? Warning(ModelFolder folder, EngineOptions options, string onnxRuntimeName)
    {
        DirectoryInfo profiles = Directory.CreateTempSubdirectory("llama3perf-");
        try
        {
            Run(folder, WithoutCapture(folder, options), Path.Combine(profiles.FullName, "profile"));
            FileInfo[] files = profiles.GetFiles("*.json");
            return files.Length == 0
                ? "onnxruntime-genai wrote no profile, so nothing proves where the model ran"
                : files
                    .Select(file => PlacementProfile.WarningOf(file.FullName, onnxRuntimeName))
                    .FirstOrDefault(warning => warning is not null);
        }
        finally
        {
            try
            {
                profiles.Delete(recursive: true);
            }
            catch (IOException)
            {
                // A failed session may still hold its file; the system cleans its folder of temporary files.
            }
        }
    }

    private static void Run(ModelFolder folder, EngineOptions options, string profile)
    {
        using GenAiEngine engine = new(folder, options, profile: profile);
        engine.Reset(4);
        engine.Prefill([0, 1]);
        engine.NextToken();
        engine.NextToken();
    }

    // Neither by our options nor by the folder's.
    private static EngineOptions WithoutCapture(ModelFolder folder, EngineOptions options)
    {
        Dictionary<string, string> left = options.ProviderOptions.Where(option => !IsCapture(option.Key)).ToDictionary();
        foreach (string key in GenAiConfig.OwnOptions(folder.Path, options with { ProviderOptions = left }).Keys.Where(IsCapture))
        {
            left[key] = "0";
        }

        return options with
        {
            ProviderOptions = left,
        };
    }

    private static bool IsCapture(string option) =>
        option.EndsWith("cuda_graph", StringComparison.OrdinalIgnoreCase)
        || option.EndsWith("graphcapture", StringComparison.OrdinalIgnoreCase);
}
