using System.Text.Json;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>The chat template that a checkpoint or a model folder has: Jinja that writes a conversation as the model learnt it.</summary>
public static class ChatTemplateFile
{
    /// <summary>Where newer checkpoints keep it, and the only place where ONNX Runtime GenAI looks.</summary>
    internal const string Name = "chat_template.jinja";

    /// <summary>The template, or null. A file of its own goes before tokenizer_config.json; of several named ones it is the
    /// default.</summary>
    /// <exception cref="ModelException">tokenizer_config.json is broken.</exception>
    public static string? Read(string folder)
    {
        string file = Path.Combine(folder, Name);
        if (File.Exists(file) && InputFile.Length(file) > 0)
        {
            return InputFile.ReadText(file, "is no template");
        }

        string configuration = Path.Combine(folder, "tokenizer_config.json");
        return !File.Exists(configuration)
            ? null
            : JsonField.ReadFile(configuration).Find("chat_template") switch
            {
                { Element.ValueKind: JsonValueKind.String } template => template.Text(),
                { Element.ValueKind: JsonValueKind.Array } named => Default(named.Element),
                _ => null,
            };
    }

    private static string? Default(JsonElement named) =>
        named
            .EnumerateArray()
            .Where(item =>
                item.ValueKind == JsonValueKind.Object && item.TryGetProperty("name", out JsonElement name) && name.ValueEquals("default")
            )
            .Select(item => item.TryGetProperty("template", out JsonElement template) ? template.GetString() : null)
            .FirstOrDefault();
}
