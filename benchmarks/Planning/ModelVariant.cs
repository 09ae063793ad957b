using Llama3Perf.Inference;
using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>One set of weights to measure: a folder as it is, or a shape at a precision.</summary>
internal sealed record ModelVariant(string Name, Precision Precision, int? BlockSize, ModelFolder? Folder)
{
    /// <summary>True for what is measured as it is; a shape's name, a config.json and a checkpoint are built first.</summary>
    public static bool IsFinished(string model) => Directory.Exists(model) && (ModelFolder.IsModelFolder(model) || !Checkpoint.IsCheckpoint(model));

    /// <summary>What results call it while there is no folder.</summary>
    public string ShownName => Path.Exists(Name) ? LlamaShape.Load(Name).Name : Name;

    /// <summary>True when its weights are somebody's and not random.</summary>
    public bool IsReal => Folder is { } folder ? !folder.IsSynthetic : Checkpoint.IsCheckpoint(Name) && !Checkpoint.Open(Name).IsSynthetic;

    /// <summary>The precision as tables show it; block size 32 is the usual one and goes unsaid.</summary>
    public string Label => BlockSize is null or 32 ? Precision.ToString().ToLowerInvariant() : $"{Precision.ToString().ToLowerInvariant()}-b{BlockSize}";

    public ModelBuildOptions BuildOptions(ExecutionProvider provider) => new()
    {
        Model = Name,
        Precision = Precision,
        BlockSize = BlockSize ?? 32,
        Target = provider switch
        {
            ExecutionProvider.Dml => GraphTarget.DirectML,
            ExecutionProvider.Cuda => GraphTarget.Cuda,
            ExecutionProvider.WebGpu => GraphTarget.WebGpu,
            _ => GraphTarget.Cpu,
        },
    };
}
