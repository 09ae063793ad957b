using System.Diagnostics;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Models.Tests.Folders;

/// <summary>A folder holds what it uses, in regular files; only a hub cache's links lead elsewhere, into the same cache.</summary>
public sealed class PathTests
{
    [Theory]
    [InlineData("../other/model.onnx")]
    [InlineData("sub/../../other/model.onnx")]
    public void A_graph_outside_is_refused(string name)
    {
        using TinyFolder folder = new();
        Directory.CreateDirectory(folder.Beside("other"));
        File.Copy(folder["model.onnx"], Path.Combine(folder.Beside("other"), "model.onnx"));
        folder.Configuration("\"filename\": \"model.onnx\"", $"\"filename\": \"{name}\"").Refused("lies outside the folder");
    }

    [Fact]
    public void An_absolute_graph_is_refused()
    {
        using TinyFolder folder = new();
        File.Copy(folder["model.onnx"], folder.Beside("model.onnx"));
        folder
            .Configuration("\"filename\": \"model.onnx\"", $"\"filename\": \"{folder.Beside("model.onnx").Replace("\\", "\\\\")}\"")
            .Refused("lies outside the folder");
    }

    [Theory]
    [InlineData("../model.onnx.data", "lies outside the folder")]
    [InlineData("/etc/passwd", "outside the folder")]
    [InlineData("a\0b", "malformed location")]
    public void Weights_outside_are_refused(string location, string message)
    {
        using TinyFolder folder = new();
        File.Copy(folder["model.onnx.data"], folder.Beside("model.onnx.data"));
        folder
            .Graph(graph =>
                graph
                    .Initializer.First(tensor => tensor.ExternalData.Count > 0)
                    .ExternalData.Single(entry => entry.Key == "location")
                    .Value = location
            )
            .Refused(message);
    }

    [Fact]
    public void A_link_to_the_outside_is_refused()
    {
        using TinyFolder folder = new();
        File.Move(folder["model.onnx.data"], folder.Beside("secret"));
        Links.ToFile(folder["model.onnx.data"], folder.Beside("secret"));
        folder.Refused("is a link to", "secret", "outside the folder");
    }

    [Theory]
    [InlineData("models--someone--tiny")]
    [InlineData("a-copy-of-it")]
    public void A_hub_caches_links_into_itself_load(string entry)
    {
        using TinyFolder folder = new();
        string snapshot = Path.Combine(folder.Beside(entry), "snapshots", "abc");
        string blobs = Path.Combine(folder.Beside(entry), "blobs");
        Directory.CreateDirectory(snapshot);
        Directory.CreateDirectory(blobs);
        foreach (string file in Directory.EnumerateFiles(folder.Path))
        {
            string blob = Path.Combine(blobs, $"blob-{Path.GetFileName(file)}");
            File.Move(file, blob);
            Links.ToFile(Path.Combine(snapshot, Path.GetFileName(file)), Path.Combine("..", "..", "blobs", Path.GetFileName(blob)));
        }

        var opened = ModelFolderReader.Open(snapshot);
        Assert.Equal(
            new FileInfo(Path.Combine(blobs, "blob-model.onnx")).Length + new FileInfo(Path.Combine(blobs, "blob-model.onnx.data")).Length,
            opened.WeightBytes
        );
        if (entry.StartsWith("models--", StringComparison.Ordinal))
        {
            Assert.Equal((snapshot, "tiny"), (ModelFolderReader.Open(folder.Beside(entry)).Path, opened.Name));
            Assert.True(ModelFolderReader.IsModelFolder(folder.Beside(entry)));
        }
    }

    [Theory]
    [InlineData("genai_config.json")]
    [InlineData("model.onnx")]
    [InlineData("tokenizer.json")]
    public void A_pipe_is_not_waited_for(string file)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders");
        using TinyFolder folder = new();
        File.Delete(folder[file]);
        using (Process mkfifo = Process.Start("mkfifo", [folder[file]]))
        {
            mkfifo.WaitForExit();
        }

        if (file == "tokenizer.json")
        {
            Assert.NotNull(folder.Inspect());
            return;
        }

        folder.Refused($"{file} is not", "it is empty, or no regular file");
    }

    [Theory]
    [InlineData("genai_config.json", 300L << 20, "more than the 268435456 that are read")]
    [InlineData("model.onnx", 3L << 30, "more than the 2147483647 that are read")]
    public void A_file_of_absurd_size_is_not_read(string file, long length, string message)
    {
        using TinyFolder folder = new();
        using (FileStream stream = File.OpenWrite(folder[file]))
        {
            stream.SetLength(length);
        }

        folder.Refused(file, $"has {length} bytes, {message}");
    }
}
