using System.Text.Json.Nodes;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>Folders of <c>llama-tiny</c> that a class's tests share, each built when it is first asked for. Nobody may write to
/// them.</summary>
public sealed class ModelFolders : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("l3p-ort-").FullName;

    /// <summary>The folder of these options.</summary>
    public ModelFolder Get(ModelBuildOptions options) => new ModelStore(_root).GetOrBuild(options);

    /// <summary>A folder of its own, for a test that damages it.</summary>
    public ModelFolder Own(ModelBuildOptions options) => ModelBuilder.Build(options, Path.Combine(_root, Guid.NewGuid().ToString("N")));

    /// <summary>A config.json of llama-tiny with or without a head of its own, in a folder.</summary>
    public static string TinyConfig(string folder, bool isTied)
    {
        JsonNode shape = JsonNode.Parse(
            File.ReadAllText(Path.Combine(Fixtures.Root, "src", "Llama3Perf.Models", "Shapes", "llama-tiny.json"))
        )!;
        shape["tie_word_embeddings"] = isTied;
        string path = Path.Combine(Directory.CreateDirectory(folder).FullName, "config.json");
        File.WriteAllText(path, shape.ToJsonString());
        return path;
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
