using System.Diagnostics;

namespace Llama3Perf.Tests;

/// <summary>The machine's own C compiler, for the scripted onnxruntime-genai.</summary>
internal static class NativeCompiler
{
    /// <summary>A scripted library that was compiled elsewhere, for machines without a compiler.</summary>
    public const string PrebuiltVariable = "LLAMA3PERF_TEST_SCRIPTED_GENAI";

    /// <summary>Puts the scripted library at a path; null when it worked, else why not.</summary>
    public static string? ScriptedGenAi(string library)
    {
        if (Environment.GetEnvironmentVariable(PrebuiltVariable) is not { Length: > 0 } prebuilt)
        {
            return Compile(Path.Combine(Fixtures.Root, "tests", "native", "fake_genai.c"), library);
        }

        File.Copy(prebuilt, library);
        return null;
    }

    /// <summary>Compiles one C file to a shared library; null when it worked, else why not.</summary>
    public static string? Compile(string source, string library)
    {
        foreach (string compiler in OperatingSystem.IsWindows() ? ["cl", "clang", "gcc", "zig"] : new[] { "cc", "gcc", "clang", "zig" })
        {
            if (FindOnPath(compiler) is not { } path)
            {
                continue;
            }

            string[] arguments =
                compiler == "cl"
                    ? ["/nologo", "/LD", "/O1", source, $"/Fe:{library}", $"/Fo:{library}.obj"]
                    : ["-O1", "-shared", "-fPIC", "-o", library, source];
            return Run(path, compiler == "zig" ? ["cc", .. arguments] : arguments);
        }

        return $"no C compiler (cc, gcc, clang, zig or cl) on the PATH, and {PrebuiltVariable} names no library";
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
