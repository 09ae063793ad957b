using System.Text.Json;

namespace Llama3Perf.Models.Files;

/// <summary>Names in JSON files of others.</summary>
internal static class JsonNames
{
    /// <summary>The name, or null when it is no valid Unicode: JSON allows the escape of half a surrogate pair, .NET strings from it do not
    /// exist.</summary>
    public static string? Of(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The value under a name; null when it is missing, or when a name beside it is no valid Unicode.</summary>
    public static JsonElement? Find(JsonElement json, string name)
    {
        try
        {
            return json.TryGetProperty(name, out JsonElement value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
