using System.ComponentModel;
using System.Diagnostics;

namespace Llama3Perf.Inference.Machine;

/// <summary>A program that is started with pipes for what it reads and prints.</summary>
public static class PipedProgram
{
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_lastOutput = TimeSpan.FromSeconds(10);

    /// <summary>Starts it.</summary>
    /// <param name="program">File to run, or a name on the PATH.</param>
    /// <param name="arguments">Its arguments, unquoted.</param>
    /// <param name="environment">Variables that it gets beside ours.</param>
    /// <param name="directory">Where it runs; null for where we do.</param>
    /// <param name="name">What messages call it; null for the file's name.</param>
    /// <param name="sharesConsole">On Windows, whether it has our console and gets its Ctrl-C; elsewhere every program does.</param>
    /// <exception cref="EngineException">The system does not start it.</exception>
    public static Process Start(
        string program,
        IEnumerable<string> arguments,
        IEnumerable<KeyValuePair<string, string>>? environment = null,
        string? directory = null,
        string? name = null,
        bool sharesConsole = false
    )
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = !sharesConsole,
            WorkingDirectory = directory ?? "",
        };
        foreach ((string variable, string value) in environment ?? [])
        {
            start.Environment[variable] = value;
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException or PlatformNotSupportedException)
        {
            throw new EngineException($"{name ?? NameOf(program)} cannot be started: {ProgramText.OneLine(e.Message)}", e);
        }
    }

    /// <summary>Runs it to its end.</summary>
    /// <param name="program">File to run, or a name on the PATH.</param>
    /// <param name="arguments">Its arguments, unquoted.</param>
    /// <param name="timeout">After this time it and all that it started are killed.</param>
    /// <param name="cancellationToken">The same at once.</param>
    /// <returns>What it printed on its standard output.</returns>
    /// <exception cref="EngineException">It does not start, takes too long (then with a <see cref="TimeoutException"/> inside) or ends with
    /// an exit code other than 0; then with the last line of its errors.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the program is dead.</exception>
    public static string Run(string program, IEnumerable<string> arguments, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string name = NameOf(program);
        using Process process = Start(program, arguments);
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
        catch (OperationCanceledException e)
        {
            bool isKilled = !process.HasExited;
            Kill(process);
            cancellationToken.ThrowIfCancellationRequested();
            string how = !isKilled
                ? $"{name} ended, and something that it started keeps its output open"
                : FormattableString.Invariant(
                    $"{name} did not end within {timeout.TotalSeconds:0.###} s and was killed{LastWords(errors)}"
                );
            throw new EngineException(how, new TimeoutException(how, e));
        }
        catch (Exception e) when (e is IOException or AggregateException)
        {
            Kill(process);
            throw new EngineException($"the output of {name} cannot be read: {ProgramText.OneLine(e.GetBaseException().Message)}", e);
        }

        return process.ExitCode == 0
            ? output.Result
            : throw new EngineException($"{name} ended with {ProcessEnd.Describe(process.ExitCode)}{LastWords(errors)}");
    }

    private static string NameOf(string program) => ProgramText.OneLine(Path.GetFileName(program));

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
            return errors.Wait(s_lastWords) && ProgramText.OneLine(errors.Result.TrimEnd().Split('\n')[^1]) is { Length: > 0 } line
                ? $": {line}"
                : "";
        }
        catch (AggregateException)
        {
            return "";
        }
    }
}
