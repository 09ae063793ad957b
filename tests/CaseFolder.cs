using System.IO.Compression;

namespace Llama3Perf.Tests;

/// <summary>
/// A model of <c>tests/Cases</c>, unpacked for one test: small checkpoints and model folders of other tools, each found to have gone
/// wrong once. Where the weights do not matter they are left out, and a file of zeros stands for them.
/// </summary>
internal sealed class CaseFolder : IDisposable
{
    private const string Data = "model.onnx.data";

    // Bytes that the graphs without their weights ask for, and more.
    private const int StandInBytes = 1 << 20;

    public CaseFolder(string name)
    {
        Path = Directory.CreateTempSubdirectory("llama3perf-case-").FullName;
        ZipFile.ExtractToDirectory(System.IO.Path.Combine(Fixtures.Root, "tests", "Cases", $"{name}.zip"), Path);
        if (File.Exists(this["model.onnx"]) && !File.Exists(this[Data]))
        {
            using FileStream stream = File.Create(this[Data]);
            stream.SetLength(StandInBytes);
        }
    }

    public string Path { get; }

    /// <summary>What transformers answers: <c>reference.json</c>.</summary>
    public string Reference => this["reference.json"];

    public string this[string file] => System.IO.Path.Combine(Path, file);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
