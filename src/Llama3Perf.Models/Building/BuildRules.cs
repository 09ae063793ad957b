using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Building;

/// <summary>What can be built.</summary>
internal static class BuildRules
{
    private static readonly int[] s_blockSizes = [16, 32, 64, 128, 256];

    /// <exception cref="ModelException">Options that contradict each other or the shape.</exception>
    public static void Check(LlamaShape shape, ModelBuildOptions options)
    {
        if (options.Precision == Precision.Bf16)
        {
            throw new ModelException(
                "No folder holds bf16 weights: it is a precision of external engines alone. Use fp32, fp16, int8 or int4."
            );
        }

        if (options.Precision is not (Precision.Int4 or Precision.Int8))
        {
            return;
        }

        if (options.AccuracyLevel is < 0 or > 4)
        {
            throw new ModelException($"Accuracy level {options.AccuracyLevel} does not exist. Use 0 to 4.");
        }

        if (!s_blockSizes.Contains(options.BlockSize))
        {
            throw new ModelException($"Block size {options.BlockSize} does not exist. Use one of {string.Join(", ", s_blockSizes)}.");
        }

        Divides(options.BlockSize, "hidden_size", shape.HiddenSize, shape.Name);
        Divides(options.BlockSize, "intermediate_size", shape.IntermediateSize, shape.Name);
        Divides(options.BlockSize, "num_attention_heads x head_dim", shape.QueryWidth, shape.Name);
    }

    private static void Divides(int block, string what, int width, string shape)
    {
        if (width % block == 0)
        {
            return;
        }

        string others = string.Join(", ", s_blockSizes.Where(size => width % size == 0));
        string wayOut = others.Length > 0 ? $"Use one of {others}" : "Use fp32 or fp16";
        throw new ModelException($"Block size {block} does not divide {what} {width} of '{shape}'. {wayOut}.");
    }
}
