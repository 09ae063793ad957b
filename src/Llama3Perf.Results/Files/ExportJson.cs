using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Llama3Perf.Results.Files;

/// <summary>How exported JSON is written: indented, LF, characters as they are.</summary>
internal static class ExportJson
{
    private static readonly JsonWriterOptions s_options = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The text of one document.</summary>
    public static string Write(Action<Utf8JsonWriter> write)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, s_options))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }
}
