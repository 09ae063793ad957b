using System.Text.RegularExpressions;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>A .gguf file as a case names it.</summary>
/// <param name="Name">Name in results.</param>
/// <param name="File">The file; empty where there is none yet.</param>
/// <param name="Precision">Format of the weights.</param>
/// <param name="BlockSize">Weights that share a scale, where that is comparable to the suite's own formats.</param>
/// <param name="IsReal">False for random weights that the suite wrote.</param>
internal sealed partial record LlamaBenchModel(string Name, string File, string Precision, int? BlockSize, bool IsReal)
{
    /// <summary>What its header says; null where this program does not read it, which llama-bench may all the same.</summary>
    public ModelFolder? Folder { get; private init; }

    /// <summary>What an opened file says.</summary>
    public static LlamaBenchModel Of(ModelFolder folder) =>
        new(folder.Name, folder.GraphPath, folder.Storage, folder.BlockSize, !folder.IsSynthetic) { Folder = folder };

    /// <summary>What is known of a file: by its header, else by its name.</summary>
    public static LlamaBenchModel Of(string gguf)
    {
        try
        {
            return Of(ModelFolderReader.Open(gguf));
        }
        catch (ModelException)
        {
            string precision = PrecisionOf(null, gguf);
            return new LlamaBenchModel(GgufNames.Model(gguf), gguf, precision, BlockSizeOf(precision), IsReal: true);
        }
    }

    /// <summary>The suite's name for a format that it has too, or llama.cpp's own name of the quantization: <c>q4_k_m</c>; <c>unknown</c>
    /// when nothing tells.</summary>
    /// <param name="modelType">llama-bench's model type, or null before it has run.</param>
    /// <param name="gguf">The file.</param>
    public static string PrecisionOf(string? modelType, string gguf)
    {
        string? quantization = Last(modelType ?? "") ?? Last(Path.GetFileNameWithoutExtension(gguf));
        return quantization switch
        {
            null => "unknown",
            "f16" => "fp16",
            "f32" => "fp32",
            "q4_0" or "q4_1" => "int4",
            "q8_0" => "int8",
            _ => quantization,
        };
    }

    /// <summary>Weights that share a scale, of the two formats that are comparable to the suite's own; null otherwise.</summary>
    public static int? BlockSizeOf(string precision) => precision is "int4" or "int8" ? 32 : null;

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
