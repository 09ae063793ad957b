using System.Text;
using System.Text.Json.Nodes;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Folders;

/// <summary>
/// <c>llama3perf.json</c>: everything that shapes a folder that the suite built. Equal manifests mean equal bytes;
/// folders of other tools have none.
/// </summary>
internal static class BuildManifest
{
    public const string FileName = "llama3perf.json";

    /// <summary>Raised whenever the same options would give other bytes: graph, weights, tokenizer or configuration.</summary>
    private const int FormatVersion = 2;

    /// <summary>The same for GGUF files.</summary>
    private const int GgufFormatVersion = 1;

    /// <summary>The manifest's text. Options that have no effect on this build are left out.</summary>
    /// <param name="shape">Shape of the model.</param>
    /// <param name="options">How it is built.</param>
    /// <param name="checkpointSha256">Contents of the checkpoint whose weights it holds, or null for weights of the suite's own.</param>
    /// <param name="isSynthetic">True for random weights, those of a random checkpoint included.</param>
    public static string Text(LlamaShape shape, ModelBuildOptions options, string? checkpointSha256, bool isSynthetic)
    {
        var build = new JsonObject
        {
            ["precision"] = options.Precision.Name(),
            ["target"] = options.Target.Name(),
            ["prune_lm_head"] = options.PruneLmHead,
        };
        if (checkpointSha256 is null)
        {
            build["seed"] = options.Seed;
        }
        else
        {
            build["checkpoint_sha256"] = checkpointSha256;
            build["allow_non_finite"] = options.AllowNonFinite;
        }

        if (options.Precision is Precision.Int8 or Precision.Int4)
        {
            build["block_size"] = options.BlockSize;
            build["symmetric"] = options.Symmetric;
            if (options.Target != GraphTarget.DirectML)
            {
                build["accuracy_level"] = options.AccuracyLevel;
            }
        }

        return FolderJson.Text(
            new JsonObject
            {
                ["format_version"] = FormatVersion,
                ["name"] = shape.Name,
                ["weights"] = isSynthetic ? LlamaConfigText.Synthetic : "real",
                ["build"] = build,
                ["shape"] = LlamaConfigText.Dimensions(shape),
            }
        );
    }

    /// <summary>The manifest of a GGUF folder: what it was made of.</summary>
    /// <param name="source">The ONNX folder, one of ours.</param>
    /// <param name="filesSha256">Of its small files, which decide the tokens.</param>
    public static string GgufText(string source, string filesSha256)
    {
        JsonObject made = Parse(source);
        return FolderJson.Text(
            new JsonObject
            {
                ["format_version"] = GgufFormatVersion,
                ["name"] = made["name"]?.DeepClone(),
                ["weights"] = made["weights"]?.DeepClone(),
                ["format"] = "gguf",
                ["files_sha256"] = filesSha256,
                ["source"] = made,
            }
        );
    }

    /// <summary>The manifest of a folder with a quantized KV cache: that of its source, if it has one, and how the cache was
    /// made.</summary>
    /// <param name="source">The folder whose weights it has.</param>
    /// <param name="sourceSha256">What identifies that one.</param>
    /// <param name="type">Of the cache.</param>
    /// <param name="calibration">What identifies the calibration.</param>
    public static string CacheText(ModelFolder source, string sourceSha256, KeyValueType type, string calibration)
    {
        JsonObject made = File.Exists(Path.Combine(source.Path, FileName))
            ? Parse(source.Path)
            : new JsonObject
            {
                ["format_version"] = FormatVersion,
                ["name"] = source.Name,
                ["weights"] = source.IsSynthetic ? LlamaConfigText.Synthetic : "real",
            };
        made["kv_cache"] = new JsonObject
        {
            ["type"] = type.Name(),
            ["calibration"] = calibration,
            ["source_sha256"] = sourceSha256,
        };
        return FolderJson.Text(made);
    }

    /// <summary>The shape of a folder that the suite built.</summary>
    /// <exception cref="ModelException">It has no manifest, or one that says no usable shape.</exception>
    public static LlamaShape ReadShape(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            throw new ModelException(
                $"'{folder}' has no {FileName}: only of a folder that this suite built is known what a GGUF file must hold. Convert its "
                    + "checkpoint with build --format gguf."
            );
        }

        JsonField manifest = JsonField.ReadFile(file);
        JsonObject shape =
            Parse(folder)["shape"] as JsonObject ?? throw new ModelException($"{file}: shape is missing. Build the folder again.");
        shape["model_type"] = "llama";
        using var text = new MemoryStream(Encoding.UTF8.GetBytes(shape.ToJsonString()));
        return LlamaConfig.Read(JsonField.Read(file, text), manifest["name"].Text());
    }

    private static JsonObject Parse(string folder)
    {
        string file = Path.Combine(folder, FileName);

        // Read once through the reader that names what is wrong.
        JsonField root = JsonField.ReadFile(file);
        return JsonNode.Parse(root.Element.GetRawText()) as JsonObject ?? throw root.Wrong("an object");
    }

    /// <summary>Text of the folder's manifest, or null.</summary>
    public static string? ReadText(string folder)
    {
        string file = Path.Combine(folder, FileName);
        return File.Exists(file) ? InputFile.ReadText(file, "is no manifest") : null;
    }

    /// <summary>Name of what the folder was built from and whether its weights are random; null for a folder without manifest.</summary>
    public static (string Name, bool IsSynthetic)? Read(string folder)
    {
        string file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            return null;
        }

        JsonField manifest = JsonField.ReadFile(file);
        return (manifest["name"].Text(), manifest["weights"].Text() == LlamaConfigText.Synthetic);
    }
}
