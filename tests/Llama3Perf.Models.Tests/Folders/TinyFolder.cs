using Google.Protobuf;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Tests.Folders;

/// <summary>A folder of <c>llama-tiny</c> whose graph and configuration a test changes.</summary>
internal sealed class TinyFolder : IDisposable
{
    /// <summary>What it is built of when a test does not say.</summary>
    public static ModelBuildOptions Options { get; } = new() { Model = "llama-tiny" };

    private readonly TemporaryFolder _root = new();

    public TinyFolder(ModelBuildOptions? options = null)
    {
        Path = _root["tiny"];
        ModelBuilder.Build(options ?? Options, Path, cancellationToken: TestContext.Current.CancellationToken);
        // What the suite built is what its manifest says.
        File.Delete(this["llama3perf.json"]);
    }

    public string Path { get; }

    public string this[string file] => System.IO.Path.Combine(Path, file);

    public void Dispose() => _root.Dispose();

    /// <summary>A path beside the folder.</summary>
    public string Beside(string name) => _root[name];

    /// <summary>Changes the graph.</summary>
    public TinyFolder Graph(Action<GraphProto> change)
    {
        ModelProto onnx = ModelProto.Parser.ParseFrom(File.ReadAllBytes(this["model.onnx"]));
        change(onnx.Graph);
        File.WriteAllBytes(this["model.onnx"], onnx.ToByteArray());
        return this;
    }

    /// <summary>Replaces text of genai_config.json that must be there.</summary>
    public TinyFolder Configuration(string right, string wrong)
    {
        string text = File.ReadAllText(this["genai_config.json"]);
        Assert.Contains(right, text, StringComparison.Ordinal);
        File.WriteAllText(this["genai_config.json"], text.Replace(right, wrong, StringComparison.Ordinal));
        return this;
    }

    public FolderInspection Inspect() => FolderInspection.Of(Path);

    /// <summary>The folder is refused in one line with these parts.</summary>
    public void Refused(params string[] parts)
    {
        string message = Assert.Throws<ModelException>(Inspect).Message;
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', message);
    }
}
