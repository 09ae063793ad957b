using System.Text.RegularExpressions;

namespace Llama3Perf.Models.Gguf;

/// <summary>Names of GGUF files.</summary>
public static partial class GgufNames
{
    /// <summary>The model's name: the file's without its ending and without the name of its quantization, which results show beside
    /// it.</summary>
    public static string Model(string file)
    {
        string name = Path.GetFileName(file);
        name = name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && name.Length > 5 ? name[..^5] : name;
        string plain = Quantization().Replace(name, "");
        return plain.Length > 0 ? plain : name;
    }

    [GeneratedRegex(
        @"[-._](i?q\d(_[0-9a-z]+)*|tq\d_\d|mxfp4|b?f16|f32)$",
        RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Quantization();
}
