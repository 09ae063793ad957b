using Llama3Perf.Benchmarks.Commands;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>Runs the program's command line in this process and keeps what it printed. The console is one: tests that use this share a
/// collection.</summary>
internal static class CliSession
{
    public static (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        TextWriter output = Console.Out;
        TextWriter error = Console.Error;
        using StringWriter capturedOutput = new();
        using StringWriter capturedError = new();
        Console.SetOut(capturedOutput);
        Console.SetError(capturedError);
        try
        {
            int exitCode = Cli.Run(arguments);
            return (exitCode, capturedOutput.ToString(), capturedError.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    /// <summary>The lines that work writes to the standard output. What takes a moment adds one about its speed.</summary>
    public static IReadOnlyList<string> Lines(Action work)
    {
        TextWriter output = Console.Out;
        using StringWriter captured = new();
        Console.SetOut(captured);
        try
        {
            work();
            return captured.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
        finally
        {
            Console.SetOut(output);
        }
    }
}
