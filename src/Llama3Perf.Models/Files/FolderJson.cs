using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Llama3Perf.Models.Files;

/// <summary>JSON as it is written into model folders: indented, LF on every system, because hashes are taken over it.</summary>
internal static class FolderJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Text(JsonObject json) => json.ToJsonString(s_options) + "\n";
}
