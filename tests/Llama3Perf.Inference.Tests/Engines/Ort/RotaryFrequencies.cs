using System.Text.Json;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>Angles a position of the rotary embedding, from the formula and the checkpoint's configuration: the graph's caches are not
/// looked at.</summary>
internal static class RotaryFrequencies
{
    /// <summary>θ^(-2i/d) for i below half the head size.</summary>
    public static double[] Of(ModelFolder folder) => Of(Configuration(folder), folder.HeadSize);

    /// <summary>The same of a config.json.</summary>
    public static double[] Of(JsonElement configuration, int headSize)
    {
        JsonElement rope = configuration.GetProperty("rope_parameters");
        double theta = rope.GetProperty("rope_theta").GetDouble();
        double[] frequencies = [.. Enumerable.Range(0, headSize / 2).Select(i => Math.Pow(theta, -2.0 * i / headSize))];
        return rope.GetProperty("rope_type").GetString() == "llama3"
            ? Array.ConvertAll(frequencies, frequency => Slowed(frequency, rope))
            : frequencies;
    }

    // Llama 3.1: what turns less than low_freq_factor times in the original context becomes slower by the factor, what turns more
    // than high_freq_factor times stays, with a linear passage between.
    private static double Slowed(double frequency, JsonElement rope)
    {
        double Value(string name) => rope.GetProperty(name).GetDouble();
        double turns = Value("original_max_position_embeddings") * frequency / (2 * Math.PI);
        double share = Math.Clamp((turns - Value("low_freq_factor")) / (Value("high_freq_factor") - Value("low_freq_factor")), 0, 1);
        return (share * frequency) + ((1 - share) * frequency / Value("factor"));
    }

    private static JsonElement Configuration(ModelFolder folder)
    {
        string ours = Path.Combine(folder.Path, "llama3perf.json");
        return File.Exists(ours)
            ? JsonDocument.Parse(File.ReadAllBytes(ours)).RootElement.GetProperty("shape")
            : JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder.Path, "..", "hf", "config.json"))).RootElement;
    }
}
