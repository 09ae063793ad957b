using System.CommandLine;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>--runtime-dir</c>, shared by the verbs that load native libraries.</summary>
internal static class RuntimeDirectory
{
    public static Option<string?> Option() =>
        OptionFactory.Value(
            "--runtime-dir",
            "Folder whose native onnxruntime (and onnxruntime-genai) libraries are loaded instead of the packaged ones.",
            OptionFactory.Text,
            "folder"
        );

    /// <summary>Must come before anything touches a native library. Children inherit it.</summary>
    public static void Use(string? folder)
    {
        if (folder is not null)
        {
            if (!Directory.Exists(folder))
            {
                throw new UsageException($"--runtime-dir: there is no folder {folder}");
            }

            NativeLibraries.UseRuntimeFolder(folder);
        }
    }
}
