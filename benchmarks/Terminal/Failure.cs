using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text;
using Llama3Perf.Inference;
using Llama3Perf.Models;
using Llama3Perf.Results;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>How the program ends when something threw: one line on standard error, an exit code, and for a bug a file that tells the
/// rest.</summary>
internal static class Failure
{
    /// <summary>Shows an exception.</summary>
    /// <returns>The exit code; see <see cref="ExitCode"/>.</returns>
    public static int Show(Exception exception)
    {
        Exception cause = Cause(exception);
        return cause switch
        {
            UsageException or OptionException => Line(cause.Message, ExitCode.Usage),
            OperationCanceledException => Line("interrupted; nothing half-written is left", ExitCode.Interrupted),
            ModelException or EngineException or RunFileException => Line(cause.Message, ExitCode.Input),
            OutOfMemoryException => Line("memory ran out; a smaller model, fewer threads or a machine with more of it", ExitCode.Input),
            FileNotFoundException or FileLoadException when IsAssembly(cause) => Line(
                $"{((cause as FileNotFoundException)?.FileName ?? ((FileLoadException)cause).FileName)?.Split(',')[0]} of this program "
                    + "cannot be opened: it is not there, or too many files are open (ulimit -n)",
                ExitCode.Input
            ),
            // The system's own words: disk full, too many open files, a closed terminal, a folder that is gone.
            IOException or UnauthorizedAccessException or Win32Exception => Line(
                (IsConsole(cause) ? "standard output cannot be written: " : "") + cause.Message,
                ExitCode.Input
            ),
            _ => Bug(exception),
        };
    }

    /// <summary>
    /// Before anything else: loads what telling a failure takes, for it may be that no file can be opened any more, and gives
    /// exceptions that no thread catches the same end.
    /// </summary>
    public static void Prepare()
    {
        // Names and paths of every script; a Windows console would otherwise have its code page.
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        _ = Console.Error;
        _ = Cause(new Win32Exception());
        AppDomain.CurrentDomain.UnhandledException += (_, arguments) =>
            Environment.Exit(arguments.ExceptionObject is Exception exception ? Show(exception) : ExitCode.Bug);
    }

    /// <summary>One line, fit to be read. .NET adds the parameter's name to an argument's message; it means nothing to a user.</summary>
    public static string OneLine(string message) => ErrorLine.Of(message.Split(" (Parameter '")[0]).Trim();

    private static int Line(string message, int exitCode)
    {
        try
        {
            Console.Error.WriteLine("error: " + OneLine(message));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // Nobody can be told; the exit code is left.
        }

        return exitCode;
    }

    private static int Bug(Exception exception)
    {
        string report = Report(exception) is { } file ? $"; please report it with {file}" : "";
        return Line($"this is a bug of the suite: {exception.GetType().Name}: {exception.Message}{report}", ExitCode.Bug);
    }

    private static string? Report(Exception exception)
    {
        string version =
            typeof(Failure).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            Llama3Perf {version}, .NET {Environment.Version}, {System.Runtime.InteropServices.RuntimeInformation.OSDescription}
            {DateTimeOffset.UtcNow:u}
            {Environment.CommandLine}

            {exception}

            """
        );
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        text = home.Length > 1 ? text.Replace(home, "~", StringComparison.Ordinal) : text;
        try
        {
            string file = Path.Combine(Path.GetTempPath(), $"llama3perf-bug-{Guid.NewGuid():N}.txt");
            File.WriteAllText(file, text);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsAssembly(Exception exception) =>
        (exception as FileNotFoundException)?.FileName?.Contains(", Version=", StringComparison.Ordinal)
        ?? (exception as FileLoadException)?.FileName?.Contains(", Version=", StringComparison.Ordinal)
        ?? false;

    // The system's words do not name the file when it is the terminal.
    private static bool IsConsole(Exception exception) =>
        exception.StackTrace?.Contains("System.ConsolePal", StringComparison.Ordinal) == true;

    // What a static constructor, a reflection call or a task threw comes wrapped.
    private static Exception Cause(Exception exception) =>
        exception switch
        {
            TypeInitializationException or TargetInvocationException when exception.InnerException is { } inner => Cause(inner),
            AggregateException { InnerExceptions: [var only] } => Cause(only),
            _ => exception,
        };
}
