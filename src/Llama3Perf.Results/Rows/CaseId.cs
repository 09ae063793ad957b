using System.Security.Cryptography;
using System.Text;

namespace Llama3Perf.Results.Rows;

/// <summary>
/// Names of cases: <c>llama-125m-int4-b32/ort-cpu/pp512/l640/t2</c>. The same case has the same name in every run, on every machine.
/// Letters, digits, <c>. - _ /</c> only, so that a name serves as a path and in a filter.
/// </summary>
public static class CaseId
{
    private const int LongestPart = 40;

    /// <summary>
    /// The name of a case. Cases that differ in engine, provider, device, model's name, precision, block size, prompt, chat template,
    /// length or threads have different names; two models of one name have not.
    /// </summary>
    public static string For(CaseKey key)
    {
        string model = $"{Part(key.ModelName)}-{Part(key.Precision)}{(key.BlockSize is { } size ? $"-b{size}" : "")}";
        // The colon of an external engine is no character of a name.
        string engine = $"{Part(key.Engine.Replace(':', '.'))}-{Part(key.Provider)}{(key.Device is { } device ? $"-{Part(device)}" : "")}";
        IEnumerable<string?> parts =
        [
            model, engine, Part(key.PromptId), key.ChatTemplate == "none" ? null : Part(key.ChatTemplate), $"l{key.MaxLength}", key.Threads is { } threads ? $"t{threads}" : null,
        ];
        return string.Join('/', parts.OfType<string>());
    }

    /// <summary>Text that had to be changed or cut carries the start of its hash, so that different texts stay different.</summary>
    private static string Part(string text)
    {
        string clean = string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));
        return clean == text && clean.Length is > 0 and <= LongestPart && clean[0] != '.'
            ? clean
            : $"{clean[..Math.Min(clean.Length, LongestPart)].Trim('-', '.')}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..6]}";
    }
}
