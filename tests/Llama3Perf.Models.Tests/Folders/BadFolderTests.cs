using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Models.Tests.Folders;

/// <summary>A folder that is not usable is one line that names the file.</summary>
public sealed class BadFolderTests : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private readonly string _folder;

    public BadFolderTests()
    {
        _folder = _root["tiny"];
        ModelBuilder.Build(
            new ModelBuildOptions { Model = "llama-tiny" },
            _folder,
            cancellationToken: TestContext.Current.CancellationToken
        );
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Missing_folder() => Refused(_root["nowhere"], "nowhere", "does not exist");

    [Fact]
    public void File_instead_of_a_folder() => Refused(Path.Combine(_folder, "model.onnx"), "is a file");

    [Theory]
    [InlineData("genai_config.json", "has no genai_config.json")]
    [InlineData("model.onnx", "model.onnx is missing")]
    [InlineData("model.onnx.data", "model.onnx.data is missing")]
    [InlineData("tokenizer.json", "tokenizer.json is missing")]
    [InlineData("tokenizer_config.json", "tokenizer_config.json is missing")]
    public void Missing_file(string file, string message)
    {
        File.Delete(Path.Combine(_folder, file));
        Refused(_folder, message);
    }

    [Theory]
    [InlineData("{", "genai_config.json is not JSON")]
    [InlineData("", "genai_config.json is not JSON")]
    [InlineData("[1]", "genai_config.json is not a JSON object")]
    [InlineData("{}", "genai_config.json: model is missing")]
    [InlineData("""{"model": 3}""", "model is 3, expected an object")]
    [InlineData("""{"model": {"type": "llama", "decoder": {}}}""", "model.decoder.filename is missing")]
    public void Broken_configuration(string text, string message)
    {
        File.WriteAllText(Path.Combine(_folder, "genai_config.json"), text);
        Refused(_folder, message);
    }

    [Theory]
    [InlineData("\"context_length\": 2048", "\"context_length\": -1", "model.context_length is -1, expected a whole number of at least 1")]
    [InlineData("\"head_size\": 32", "\"head_size\": 1e99", "model.decoder.head_size is 1e99")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "says num_hidden_layers 3, the graph has 2")]
    [InlineData("\"logits\": \"logits\"", "\"logits\": \"scores\"", "has no output 'scores'")]
    public void Wrong_value(string right, string wrong, string message)
    {
        string path = Path.Combine(_folder, "genai_config.json");
        string text = File.ReadAllText(path);
        Assert.Contains(right, text);
        File.WriteAllText(path, text.Replace(right, wrong));
        Refused(_folder, message);
    }

    [Theory]
    [InlineData("this is not a graph")]
    [InlineData("")]
    [InlineData("<html><body>404 Not Found</body></html>")]
    public void Graph_that_is_not_ONNX(string text)
    {
        File.WriteAllText(Path.Combine(_folder, "model.onnx"), text);
        Refused(_folder, "model.onnx is not an ONNX model");
    }

    [Fact]
    public void Truncated_graph()
    {
        Truncate("model.onnx", 1000);
        Refused(_folder, "model.onnx is not an ONNX model");
    }

    [Fact]
    public void Truncated_data_names_both_sizes()
    {
        long length = new FileInfo(Path.Combine(_folder, "model.onnx.data")).Length;
        Truncate("model.onnx.data", length - 1);
        Refused(_folder, $"model.onnx.data is truncated: it has {length - 1} bytes, the graph needs {length}");
    }

    private void Truncate(string file, long length)
    {
        using FileStream stream = File.OpenWrite(Path.Combine(_folder, file));
        stream.SetLength(length);
    }

    private static void Refused(string folder, params string[] parts)
    {
        string message = Assert.Throws<ModelException>(() => ModelFolderReader.Open(folder)).Message;
        Assert.All(parts, part => Assert.Contains(part, message));
        Assert.DoesNotContain('\n', message);
    }
}
