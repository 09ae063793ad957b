using System.ComponentModel;
using System.Diagnostics;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>llama.cpp's own benchmark program.</summary>
internal static class LlamaBenchProgram
{
    // Drivers of a GPU are loaded first.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_lastOutput = TimeSpan.FromSeconds(10);

    /// <summary>The file to run: the given path or name, else llama-bench on the PATH; null when there is none.</summary>
    public static string? Find(string? given) =>
        PeerCommand.Find(given ?? "llama-bench") ?? (given is not null && File.Exists(given) ? Path.GetFullPath(given) : null);

    /// <summary>Its backends that see a device, lowercase, none for a processor alone; null from versions that do not tell.</summary>
    public static IReadOnlyList<string>? Backends(string program)
    {
        try
        {
            return LlamaBenchReport.Backends(Run(program, ["--list-devices"], s_patience));
        }
        catch (EngineException)
        {
            return null;
        }
    }

    /// <summary>Runs it to its end.</summary>
    /// <param name="program">File to run.</param>
    /// <param name="arguments">Its arguments, unquoted.</param>
    /// <param name="timeout">After this time it and all that it started are killed.</param>
    /// <param name="cancellationToken">The same at once.</param>
    /// <returns>What it printed on its standard output.</returns>
    /// <exception cref="EngineException">It does not start, takes too long or ends with an exit code other than 0; then with the last line
    /// of its errors.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the program is dead.</exception>
    public static string Run(
        string program,
        IReadOnlyList<string> arguments,
        TimeSpan timeout,
        CancellationToken cancellationToken = default
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        string name = LlamaBenchText.OneLine(Path.GetFileName(program));
        using Process process = Start(program, name, arguments);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        // Both pipes are emptied at once: a program that fills one while nobody reads it would never end.
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            process.StandardInput.Close();
            process.WaitForExitAsync(limit.Token).GetAwaiter().GetResult();
            // What it started may hold its pipes open for ever.
            limit.CancelAfter(timeout < s_lastOutput ? timeout : s_lastOutput);
            Task.WaitAll([output, errors], limit.Token);
        }
        catch (OperationCanceledException)
        {
            bool isKilled = !process.HasExited;
            Kill(process);
            cancellationToken.ThrowIfCancellationRequested();
            throw new EngineException(
                !isKilled
                    ? $"{name} ended, and something that it started keeps its output open"
                    : FormattableString.Invariant(
                        $"{name} did not end within {timeout.TotalSeconds:0.###} s and was killed{LastWords(errors)}"
                    )
            );
        }
        catch (Exception e) when (e is IOException or AggregateException)
        {
            Kill(process);
            throw new EngineException($"the output of {name} cannot be read: {LlamaBenchText.OneLine(e.GetBaseException().Message)}", e);
        }

        return process.ExitCode == 0
            ? output.Result
            : throw new EngineException($"{name} ended with {ProcessEnd.Describe(process.ExitCode)}{LastWords(errors)}");
    }

    private static Process Start(string program, string name, IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException or PlatformNotSupportedException)
        {
            throw new EngineException($"{name} cannot be started: {LlamaBenchText.OneLine(e.Message)}", e);
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit(s_lastWords);
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or AggregateException)
        {
            // It ended by itself, or a descendant of another user cannot be killed; there is nothing more to do.
        }
    }

    private static string LastWords(Task<string> errors)
    {
        try
        {
            return errors.Wait(s_lastWords) && LlamaBenchText.LastLine(errors.Result) is { Length: > 0 } line ? $": {line}" : "";
        }
        catch (AggregateException)
        {
            return "";
        }
    }
}
