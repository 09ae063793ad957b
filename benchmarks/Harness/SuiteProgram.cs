using System.Diagnostics;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Results;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>This program, or another build of it, as something to start.</summary>
/// <param name="File">What is started: the program, or dotnet.</param>
/// <param name="First">What stands before its arguments.</param>
internal sealed record SuiteProgram(string File, IReadOnlyList<string> First)
{
    private static readonly string s_name = typeof(SuiteProgram).Assembly.GetName().Name!;

    /// <summary>The program that runs. Not its process's own file, which may be a host: dotnet, or the runner of the tests.</summary>
    public static SuiteProgram This =>
        Find(AppContext.BaseDirectory) ?? new SuiteProgram("dotnet", [typeof(SuiteProgram).Assembly.Location]);

    /// <summary>The program of a build.</summary>
    /// <param name="folder">Folder that the build wrote to, with program and libraries.</param>
    /// <exception cref="RunFileException">It holds none.</exception>
    public static SuiteProgram In(string folder)
    {
        string path = Path.GetFullPath(folder);
        string why = Directory.Exists(path) ? $"{path} is no build: there is no {s_name} in it" : $"there is no folder {path}";
        return Find(path)
            ?? throw new RunFileException(
                $"--baseline-build: {why}; name the folder that dotnet build wrote to, such as artifacts/bin/{s_name}/release"
            );
    }

    /// <summary>Starts it with pipes for what it reads and prints.</summary>
    /// <exception cref="RunFileException">The system does not start it.</exception>
    public Process Start(IEnumerable<string> arguments, string? directory = null)
    {
        try
        {
            return PipedProgram.Start(
                File,
                [.. First, .. arguments],
                directory: directory,
                name: directory is null ? File : $"{File} in {directory}",
                sharesConsole: true
            );
        }
        catch (EngineException exception)
        {
            throw new RunFileException(exception.Message, exception);
        }
    }

    private static SuiteProgram? Find(string folder)
    {
        string program = Path.Combine(folder, OperatingSystem.IsWindows() ? s_name + ".exe" : s_name);
        string library = Path.Combine(folder, s_name + ".dll");
        return System.IO.File.Exists(program) ? new SuiteProgram(program, [])
            : System.IO.File.Exists(library) ? new SuiteProgram("dotnet", [library])
            : null;
    }
}
