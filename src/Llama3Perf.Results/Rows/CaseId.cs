using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Llama3Perf.Results.Rows;

/// <summary>
/// Names of cases: <c>llama-125m-int4-b32/ort-cpu/pp512/l640/t2</c>. The same case has the same name in every run, on every machine.
/// Letters, digits, <c>. - _ /</c> only, so that a name serves as a path and in a filter.
/// </summary>
public static class CaseId
{
    private const int LongestSegment = 40;
    private const int LongestPrompt = 24;

    /// <summary>
    /// The name of a case. Cases that differ in engine, its options, provider, device, model's name, precision, block size, prompt tokens,
    /// chat template, length or threads have different names; two models of one name have not.
    /// </summary>
    public static string For(CaseKey key)
    {
        string model = $"{Segment(key.ModelName)}-{Segment(key.Precision)}{(key.BlockSize is { } size ? $"-b{size}" : "")}";
        // The colon of an external engine is no character of a name.
        string engine =
            $"{Segment(key.Engine.Replace(':', '.'))}-{Segment(key.Provider)}{(key.Device is { } device ? $"-{Segment(device)}" : "")}";
        IEnumerable<string?> segments =
        [
            model,
            engine,
            Prompt(key),
            key.ChatTemplate == "none" ? null : Segment(key.ChatTemplate),
            $"l{key.MaxLength}",
            key.Threads is { } threads ? $"t{threads}" : null,
            key.EngineOptions is { } options ? $"o-{Hash(options)}" : null,
        ];
        return string.Join('/', segments.OfType<string>());
    }

    /// <summary>
    /// Texts that look alike, since they begin alike or differ in blanks at their ends, have other token ids: the name carries the start of
    /// their hash. <c>pp512</c> names its 512 tokens by itself.
    /// </summary>
    private static string Prompt(CaseKey key)
    {
        bool namesItsTokens = key.PromptTokens is { } count && key.PromptId == string.Create(CultureInfo.InvariantCulture, $"pp{count}");
        if (key.PromptSha256 is not { Length: > 0 } sha256 || namesItsTokens)
        {
            return Segment(key.PromptId);
        }

        string hash = sha256.Length >= 6 && sha256.All(char.IsAsciiHexDigitLower) ? sha256[..6] : Hash(sha256);
        return $"{Clean(key.PromptId, LongestPrompt)}-{hash}".TrimStart('-');
    }

    /// <summary>Text that had to be changed or cut carries the start of its hash, so that different texts stay different.</summary>
    private static string Segment(string text)
    {
        string clean = Clean(text, LongestSegment);
        return clean == text && clean.Length > 0 ? clean : $"{clean}-{Hash(text)}";
    }

    private static string Clean(string text, int longest)
    {
        string clean = string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));
        return clean[..Math.Min(clean.Length, longest)].Trim('-', '.');
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..6];
}
