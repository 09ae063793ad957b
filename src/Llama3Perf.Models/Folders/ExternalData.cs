using Llama3Perf.Models.Files;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Folders;

/// <summary>The files of weights beside a graph: inside the folder, there, and long enough.</summary>
internal static class ExternalData
{
    /// <summary>Checks every file that a graph names.</summary>
    /// <returns>Their bytes together.</returns>
    /// <exception cref="ModelException">One is missing, too short, or leads out of the folder.</exception>
    public static long Check(string folder, string graphPath, ModelProto onnx)
    {
        long total = 0;
        foreach ((string location, long expected) in OnnxFile.ExternalFiles(graphPath, onnx))
        {
            string file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(graphPath)!, location));
            FileLinks.Check(folder, file);
            ModelFolderReader.RequireFile(file, "weights that the graph names");
            long length = InputFile.Length(file);
            if (length < expected)
            {
                throw new ModelException(
                    $"{Shown.Text(file)} is truncated: it has {length} bytes, the graph needs {expected}. Copy or build the folder again."
                );
            }

            total += length;
        }

        return total;
    }
}
