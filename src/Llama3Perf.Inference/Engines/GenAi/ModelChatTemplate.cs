using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>
/// A model's own chat template, rendered by the Jinja engine of onnxruntime-genai. The library renders only for a loaded model: a tiny one
/// of ours is lent the names of the other's tokens, so that no large one is loaded to write a few words.
/// </summary>
public static class ModelChatTemplate
{
    /// <summary>Its name on the command line and in results.</summary>
    public const string Name = "model";

    // Some templates write today's date: tomorrow's prompt would be another one. This is the date that Llama's fall back on.
    private const string FixedDate = """{%- macro strftime_now(format) -%}26 Jul 2024{%- endmacro -%}""";

    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Rendering takes a second; a run asks for the same text once for each precision and engine.
    private static readonly ConcurrentDictionary<(string Template, string Settings, string Message), string> s_rendered = [];

    /// <summary>The template of a checkpoint or a model folder; it is read when the first message is wrapped.</summary>
    public static ChatTemplate Of(string folder) => new(Name, message => Apply(folder, message));

    /// <exception cref="EngineException">There is no template or no library, or the template fails.</exception>
    private static string Apply(string folder, string message)
    {
        try
        {
            string template =
                ChatTemplateFile.Read(folder)
                ?? throw new EngineException($"{folder} has no chat template; use {string.Join(", ", ChatTemplate.Names)}");
            return s_rendered.GetOrAdd(
                (template, Settings(folder), message),
                static key => Render(key.Template, key.Settings, key.Message)
            );
        }
        catch (ModelException exception)
        {
            throw new EngineException(exception.Message, exception);
        }
    }

    // Templates write the names of BOS and EOS; nothing else of the file matters.
    private static string Settings(string folder)
    {
        var settings = TokenizerSettings.Read(folder);
        return new JsonObject
        {
            ["bos_token"] = settings.Bos ?? "",
            ["eos_token"] = settings.Eos ?? "",
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
        }.ToJsonString(s_json);
    }

    private static string Render(string template, string settings, string message)
    {
        try
        {
            Oga.RequireTokenizer();
        }
        catch (EngineException exception)
        {
            throw new EngineException(
                $"the model's own chat template is rendered by onnxruntime-genai; {string.Join(", ", ChatTemplate.Names)} need none: "
                    + $"{exception.Message}",
                exception
            );
        }

        string root = Directory.CreateTempSubdirectory("llama3perf-template-").FullName;
        try
        {
            ModelFolder tiny = new ModelStore(root).GetOrBuild(new ModelBuildOptions { Model = "llama-tiny" });
            File.WriteAllText(Path.Combine(tiny.Path, "tokenizer_config.json"), settings);
            using OgaConfig config = GenAiConfig.Open(tiny.Path, new EngineOptions(), threads: 1);
            using OgaModel model = OgaModel.Create(config);
            using OgaTokenizer tokenizer = OgaTokenizer.Create(model);
            JsonArray messages = [new JsonObject { ["role"] = "user", ["content"] = message }];
            return tokenizer.ApplyChatTemplate(FixedDate + template, messages.ToJsonString(s_json));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
