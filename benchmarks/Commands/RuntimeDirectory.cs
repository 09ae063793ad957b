using System.CommandLine;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>--runtime-dir</c>, shared by the verbs that load native libraries.</summary>
internal static class RuntimeDirectory
{
    public static Option<IReadOnlyList<string>?> Option() =>
        OptionFactory.List(
            "--runtime-dir",
            "Folder whose native onnxruntime (and onnxruntime-genai) libraries are loaded instead of the packaged ones, or the "
                + "site-packages of a Python that has them. May be repeated: the libraries may lie in several.",
            text => text.Split(Path.PathSeparator),
            OptionFactory.Text,
            "folder"
        );

    /// <summary>Must come before anything touches a native library. Children inherit it.</summary>
    public static void Use(IReadOnlyList<string>? folders)
    {
        if (folders is not null)
        {
            if (folders.FirstOrDefault(folder => !Directory.Exists(folder)) is { } missing)
            {
                throw new UsageException($"--runtime-dir: there is no folder {missing}");
            }

            NativeLibraries.UseRuntimeFolders(folders);
        }
    }
}
