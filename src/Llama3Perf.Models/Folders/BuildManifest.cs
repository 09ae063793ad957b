using System.Text.Json.Nodes;
using Llama3Perf.Models.Shapes;

namespace Llama3Perf.Models.Folders;

/// <summary>
/// <c>llama3perf.json</c>: everything that shapes a folder of synthetic weights. Equal manifests mean equal bytes;
/// only folders that the suite built have one.
/// </summary>
internal static class BuildManifest
{
    public const string FileName = "llama3perf.json";

    /// <summary>Raised whenever the same options would give other bytes: graph, weights, tokenizer or configuration.</summary>
    private const int FormatVersion = 2;

    /// <summary>The manifest's text. Options that have no effect on this build are left out.</summary>
    public static string Text(LlamaShape shape, ModelBuildOptions options)
    {
        var build = new JsonObject
        {
            ["precision"] = Lower(options.Precision),
            ["target"] = Lower(options.Target),
            ["prune_lm_head"] = options.PruneLmHead,
            ["seed"] = options.Seed,
        };
        if (options.Precision is Precision.Int8 or Precision.Int4)
        {
            build["block_size"] = options.BlockSize;
            build["symmetric"] = options.Symmetric;
            if (options.Target != GraphTarget.DirectML)
            {
                build["accuracy_level"] = options.AccuracyLevel;
            }
        }

        return FolderJson.Text(new JsonObject
        {
            ["format_version"] = FormatVersion,
            ["name"] = shape.Name,
            ["weights"] = "synthetic",
            ["build"] = build,
            ["shape"] = LlamaConfigText.Dimensions(shape),
        });
    }

    /// <summary>Text of the folder's manifest, or null.</summary>
    public static string? ReadText(string folder)
    {
        string file = Path.Combine(folder, FileName);
        return File.Exists(file) ? File.ReadAllText(file) : null;
    }

    /// <summary>Name of the shape that the folder was built from, or null for a folder without manifest.</summary>
    public static string? ReadName(string folder)
    {
        string file = Path.Combine(folder, FileName);
        return File.Exists(file) ? JsonField.ReadFile(file)["name"].Text() : null;
    }

    /// <summary>An enumeration value as it stands in files and folder names.</summary>
    public static string Lower<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
