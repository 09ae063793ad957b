using Llama3Perf.Benchmarks.Terminal;
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
        ModelFolderReader.IsModelFolder(model) || (Directory.Exists(model) && !Checkpoint.IsCheckpoint(model));

    /// <summary>What is measured of a model: itself, or a shape at each precision and block size.</summary>
    /// <exception cref="UsageException">A precision was asked for that a finished model does not have.</exception>
    public static IEnumerable<ModelVariant> All(string model, SuiteOptions options)
    {
        if (IsFinished(model))
        {
            ModelFolder folder = ModelFolderReader.Open(model);
            if (options.Precisions is { } wanted && !wanted.Contains(folder.Precision))
            {
                throw new UsageException(
                    $"--precision: {model} holds {folder.Precision.Name()} weights; leave --precision out or name that"
                );
            }

            return [new ModelVariant(model, folder.Precision, folder.BlockSize, folder)];
        }

        return from precision in options.Precisions ?? options.UsualPrecisions
            from block in precision is Precision.Int4 or Precision.Int8 ? options.BlockSizes.Select(size => (int?)size) : [null]
            select new ModelVariant(model, precision, block, null);
    }

    /// <summary>What results call it while there is no folder.</summary>
    public string ShownName => Path.Exists(Name) ? LlamaShape.Load(Name).Name : Name;

    /// <summary>True when a model's weights are somebody's and not random.</summary>
    public static bool IsReal(string model) =>
        ModelFolderReader.IsModelFolder(model) ? !ModelFolderReader.Open(model).IsSynthetic
        : Checkpoint.IsCheckpoint(model) ? !Checkpoint.Open(model).IsSynthetic
        // A folder that is neither holds files of another program, and nobody makes those of random numbers.
        : Directory.Exists(model);

    public ModelBuildOptions BuildOptions(ExecutionProvider provider) =>
        new()
        {
            Model = Name,
            Precision = Precision,
            BlockSize = BlockSize ?? 32,
            Target = provider.Target(),
        };
}
