using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Onnx;
using Llama3Perf.Models.Shapes;

namespace Llama3Perf.Models.Building;

/// <summary>Options turned into what will be written, weights excepted.</summary>
internal sealed record BuildPlan(LlamaShape Shape, ModelBuildOptions Options, ModelProto Model, DataLayout Data, string Manifest)
{
    public const string DataFileName = "model.onnx.data";

    /// <exception cref="ModelException">Options that contradict each other or the shape.</exception>
    public static BuildPlan Create(ModelBuildOptions options)
    {
        var shape = LlamaShape.Load(options.Shape);
        shape = shape with { TieEmbeddings = options.TieEmbeddings ?? shape.TieEmbeddings };
        BuildRules.Check(shape, options);
        (ModelProto model, DataLayout data) = DecoderGraph.Create(shape, options, DataFileName);
        return new BuildPlan(shape, options, model, data, BuildManifest.Text(shape, options));
    }
}

/// <summary>What a build takes from the machine.</summary>
internal sealed record BuildMachine
{
    /// <summary>Threads that fill and write.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes that the user may still write to the file system of a folder.</summary>
    public Func<string, long> FreeBytes { get; init; } =
        folder => new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : folder).AvailableFreeSpace;
}
