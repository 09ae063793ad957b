using Llama3Perf.Inference;
using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>One set of weights to measure: a folder as it is, or a shape at a precision.</summary>
internal sealed record ModelVariant(string Name, Precision Precision, int? BlockSize, ModelFolder? Folder)
{
    /// <summary>True for what is measured as it is; a shape's name, a config.json and a checkpoint are built first.</summary>
    public static bool IsFinished(string model) =>
        Directory.Exists(model) && (ModelFolderReader.IsModelFolder(model) || !Checkpoint.IsCheckpoint(model));

    /// <summary>What results call it while there is no folder.</summary>
    public string ShownName => Path.Exists(Name) ? LlamaShape.Load(Name).Name : Name;

    /// <summary>True when a model's weights are somebody's and not random.</summary>
    public static bool IsReal(string model)
    {
        if (!Directory.Exists(model))
        {
            return Checkpoint.IsCheckpoint(model) && !Checkpoint.Open(model).IsSynthetic;
        }

        // A folder that is neither holds files of another program, and nobody makes those of random numbers.
        return ModelFolderReader.IsModelFolder(model)
            ? !ModelFolderReader.Open(model).IsSynthetic
            : !Checkpoint.IsCheckpoint(model) || !Checkpoint.Open(model).IsSynthetic;
    }

    public ModelBuildOptions BuildOptions(ExecutionProvider provider) =>
        new()
        {
            Model = Name,
            Precision = Precision,
            BlockSize = BlockSize ?? 32,
            Target = provider.Target(),
        };
}
