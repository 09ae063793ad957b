namespace Llama3Perf.Models.Files;

/// <summary>Names from files of others, as messages show them: one line, not too long.</summary>
internal static class Shown
{
    private const int MaxLength = 200;
    private const int MaxNames = 3;

    /// <summary>A name or a path.</summary>
    public static string Text(string name)
    {
        string line = string.Concat(name.Select(c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c));
        return line.Length <= MaxLength ? line : string.Concat(line.AsSpan(0, MaxLength - 3), "...");
    }

    /// <summary>The first few names, and how many more there are.</summary>
    public static string List(IReadOnlyCollection<string> names, int most = MaxNames)
    {
        string first = string.Join(", ", names.Take(most).Select(name => $"'{Text(name)}'"));
        return names.Count <= most ? first : $"{first} and {names.Count - most} more";
    }
}
