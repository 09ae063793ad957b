using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>
/// Runs the program in a process of its own, watched by the one that was started: a native library that crashes ends in one line, and
/// one that calls <c>_exit(0)</c> is no success. The watching process does nothing else, passes signals on, and the other one does not
/// outlive it.
/// </summary>
internal static class GuardedProcess
{
    private const string Variable = "LLAMA3PERF_GUARD";

    // What the program ends with when it is done: a library that ends the process does not know it.
    private const int Done = 86;

    // These verbs load nothing native but the runtime itself.
    private static readonly string[] s_unguarded =
    [
        "inspect",
        "build",
        "checkpoint",
        "compare",
        "gate",
        "noise",
        "report",
        "export",
        "simulate-gate",
        // Others of this program watch these.
        "launch",
        "serve-launches",
        "--help",
        "-h",
        "-?",
        "--version",
    ];

    /// <summary>Runs the program, here or guarded.</summary>
    /// <returns>The exit code; see <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, Func<string[], int> program)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } guard)
        {
            Environment.SetEnvironmentVariable(Variable, null);
            EndWith(guard);
            return program(args) is not 0 and var failed ? failed : Done;
        }

        return args.Any(s_unguarded.Contains) ? program(args) : Watch(args) ?? program(args);
    }

    private static int? Watch(string[] args)
    {
        try
        {
            using AnonymousPipeServerStream life = new(PipeDirection.Out, HandleInheritability.Inheritable);
            ProcessStartInfo start = new(Environment.ProcessPath!, [.. Host(), .. args]) { UseShellExecute = false };
            start.Environment[Variable] = life.GetClientHandleAsString();
            using Process process = Process.Start(start)!;
            life.DisposeLocalCopyOfClientHandle();
            PosixSignalRegistration[] signals = [.. ProcessSignals.All.Select(signal => PassOn(signal, process))];
            process.WaitForExit();
            Array.ForEach(signals, signal => signal.Dispose());
            return CodeOf(process.ExitCode);
        }
        catch (Exception exception) when (exception is Win32Exception or IOException or UnauthorizedAccessException)
        {
            // Too few processes or files for a second one: then without it.
            return null;
        }
    }

    private static string[] Host() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(GuardedProcess).Assembly.Location] : [];

    private static int CodeOf(int exitCode)
    {
        switch (exitCode)
        {
            case Done:
                return ExitCode.Success;
            case 0:
                Console.Error.WriteLine("error: a native library ended the process, with exit code 0 and before its work was done");
                return ExitCode.Failed;
            // 129 to 131 and 143 were asked for.
            case < 0 or > 131 and not 143:
                Console.Error.WriteLine($"error: the process ended with {ProcessEnd.Describe(exitCode)}");
                return exitCode;
            default:
                return exitCode;
        }
    }

    // A terminal sends its signals to both; those that programs send reach the first one alone.
    private static PosixSignalRegistration PassOn(PosixSignal signal, Process process) =>
        PosixSignalRegistration.Create(
            signal,
            context =>
            {
                context.Cancel = true;
                ProcessSignals.Send(process.Id, signal);
            }
        );

    // The pipe ends when the watching process does, however that ends.
    private static void EndWith(string guard)
    {
        AnonymousPipeClientStream life = new(PipeDirection.In, guard);
        new Thread(() =>
        {
            _ = life.ReadByte();
            using var self = Process.GetCurrentProcess();
            self.Kill();
        })
        {
            IsBackground = true,
            Name = "guard",
        }.Start();
    }
}
