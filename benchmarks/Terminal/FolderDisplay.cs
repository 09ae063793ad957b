using System.Globalization;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>Shows what a model folder holds.</summary>
internal static class FolderDisplay
{
    public static void Show(ModelFolder folder)
    {
        string block = folder.BlockSize is { } size ? $", block {size}" : "";
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{folder.Name}: {folder.Precision.Name()}{block}, {folder.LayerCount} layers of {folder.HiddenSize}, vocabulary "
                    + $"{folder.VocabularySize}, context {folder.ContextLength}, {folder.WeightBytes / 1e6:0.0} "
                    + $"MB{(folder.IsSynthetic ? ", synthetic weights" : "")}"
            )
        );
        Console.WriteLine(folder.Path);
    }
}
