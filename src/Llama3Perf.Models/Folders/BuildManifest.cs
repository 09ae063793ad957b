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
