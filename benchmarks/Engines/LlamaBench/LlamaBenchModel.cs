using System.Text.RegularExpressions;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>What is known of a .gguf file without reading its insides.</summary>
internal static partial class LlamaBenchModel
{
    /// <summary>The file's name without its ending.</summary>
    public static string Name(string gguf)
    {
        string file = Path.GetFileName(gguf);
        return file.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && file.Length > 5 ? file[..^5] : file;
    }

    /// <summary><c>fp32</c>, <c>fp16</c>, or llama.cpp's own name of the quantization: <c>q4_0</c>, <c>q4_k_m</c>; <c>unknown</c> when
    /// nothing tells.</summary>
    /// <param name="modelType">llama-bench's model type, or null before it has run.</param>
    /// <param name="gguf">The file.</param>
    public static string Precision(string? modelType, string gguf)
    {
        string? quantization = Last(modelType ?? "") ?? Last(Name(gguf));
        return quantization switch
        {
            null => "unknown",
            "f16" => "fp16",
            "f32" => "fp32",
            _ => quantization,
        };
    }

    /// <summary>Weights that share a scale, of the two formats that are comparable to the suite's own; null otherwise.</summary>
    public static int? BlockSize(string precision) => precision is "q4_0" or "q8_0" ? 32 : null;

    // A model type says "Q4_K - Medium" where a file name says "Q4_K_M".
    private static string? Last(string text)
    {
        if (Quantization().Matches(text).LastOrDefault() is not { } match)
        {
            return null;
        }

        string size = match.Groups["size"].Success ? $"_{match.Groups["size"].Value[0]}" : "";
        return (match.Groups["name"].Value + size).ToLowerInvariant();
    }

    [GeneratedRegex(
        @"(?<![A-Za-z0-9])(?<name>(?:i|t)?q\d(?:_[0-9a-z]+)*|mxfp4|b?f16|f32)(?![A-Za-z0-9])(?:\s-\s(?<size>small|medium|large)\b)?",
        RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Quantization();
}
