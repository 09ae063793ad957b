using System.Text;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>A comma-separated list of prompts. One that holds a comma or a quote stands in double quotes, quotes inside doubled, as in CSV.</summary>
public static class PromptList
{
    /// <summary>The items, white space around unquoted ones removed.</summary>
    public static IReadOnlyList<string> Split(string list)
    {
        List<string> items = [];
        StringBuilder item = new();
        bool quoted = false;
        bool wasQuoted = false;
        for (int i = 0; i < list.Length; i++)
        {
            char character = list[i];
            if (quoted && character == '"' && i + 1 < list.Length && list[i + 1] == '"')
            {
                item.Append('"');
                i++;
            }
            else if (character == '"' && (quoted || string.IsNullOrWhiteSpace(item.ToString())))
            {
                quoted = !quoted;
                wasQuoted = true;
                _ = quoted ? item.Clear() : item;
            }
            else if (character == ',' && !quoted)
            {
                items.Add(wasQuoted ? item.ToString() : item.ToString().Trim());
                item.Clear();
                wasQuoted = false;
            }
            else if (quoted || !wasQuoted || !char.IsWhiteSpace(character))
            {
                item.Append(character);
            }
        }

        items.Add(wasQuoted ? item.ToString() : item.ToString().Trim());
        return items;
    }

    /// <summary>The list that <see cref="Split"/> takes apart again.</summary>
    public static string Join(IEnumerable<string> items) => string.Join(',', items.Select(item =>
        item.AsSpan().ContainsAny(",\"") || item != item.Trim() ? $"\"{item.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : item));
}
