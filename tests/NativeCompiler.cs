using System.Diagnostics;

namespace Llama3Perf.Tests;

/// <summary>The machine's own C compiler.</summary>
internal static class NativeCompiler
{
    /// <summary>Compiles one C file to a shared library; null when it worked, else why not.</summary>
    public static string? Compile(string source, string library)
    {
        foreach (string compiler in OperatingSystem.IsWindows() ? ["cl", "clang", "gcc"] : new[] { "cc", "gcc", "clang" })
        {
            if (FindOnPath(compiler) is not { } path)
            {
                continue;
            }

            string[] arguments =
                compiler == "cl"
                    ? ["/nologo", "/LD", "/O1", source, $"/Fe:{library}", $"/Fo:{library}.obj"]
                    : ["-O1", "-shared", "-fPIC", "-o", library, source];
            return Run(path, arguments);
        }

        return "no C compiler (cc, gcc, clang or cl) on the PATH";
    }

    private static string? Run(string compiler, string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(compiler, arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"{compiler} failed: {output}{errors.Result}";
    }

    private static string? FindOnPath(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name))
            .FirstOrDefault(File.Exists);
}
