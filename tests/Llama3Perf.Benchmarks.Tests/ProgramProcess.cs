using System.Diagnostics;
using System.Globalization;

namespace Llama3Perf.Benchmarks.Tests;

/// <summary>The program as a process of its own, whose end a test may bring about.</summary>
internal sealed class ProgramProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>File name of the program. Windows completes a name without a point only.</summary>
    public static string FileName { get; } = OperatingSystem.IsWindows() ? "Llama3Perf.Benchmarks.exe" : "Llama3Perf.Benchmarks";

    /// <summary>The program beside these tests.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, FileName);

    /// <summary>Exit code of a killed one.</summary>
    public static int KilledExitCode { get; } = OperatingSystem.IsWindows() ? -1 : 137;

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    /// <param name="folder">Its current directory.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="variables">Environment variables beside those of the tests.</param>
    public ProgramProcess(string folder, IEnumerable<string> arguments, params (string Name, string Value)[] variables)
    {
        ProcessStartInfo start = new(Program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in variables)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        _error = _process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    public bool HasEnded => _process.HasExited;

    /// <summary>The most memory that it has held so far; 0 once it has ended.</summary>
    public long PeakBytes
    {
        get
        {
            try
            {
                _process.Refresh();
                return _process.HasExited ? 0 : _process.PeakWorkingSet64;
            }
            catch (InvalidOperationException)
            {
                return 0; // It ended between the two.
            }
        }
    }

    /// <summary>Runs it to its end.</summary>
    public static (int ExitCode, string Output, string Error) Run(
        string folder,
        IEnumerable<string> arguments,
        params (string Name, string Value)[] variables
    )
    {
        using ProgramProcess program = new(folder, arguments, variables);
        return program.Wait();
    }

    /// <summary>Skips a test of a signal that programs started here ignore: what nohup or a shell's background job starts inherits
    /// that.</summary>
    public static void SkipIfIgnored(string signal)
    {
        int number = signal switch
        {
            "HUP" => 1,
            "INT" => 2,
            _ => 0,
        };
        if (number == 0 || !File.Exists("/proc/self/status"))
        {
            return;
        }

        // Asked of a child: this process has handlers of its own in their place.
        using var grep = Process.Start(
            new ProcessStartInfo("grep", ["SigIgn", "/proc/self/status"]) { RedirectStandardOutput = true, UseShellExecute = false }
        )!;
        ulong ignored = ulong.Parse(
            grep.StandardOutput.ReadToEnd().Split('\t')[^1].Trim(),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture
        );
        Assert.SkipWhen(
            (ignored >> (number - 1) & 1) != 0,
            $"SIG{signal} is ignored by what is started here (nohup, or in the background)"
        );
    }

    /// <summary>Sends it a signal by its name; it may have ended before. Windows knows <c>KILL</c> alone.</summary>
    public void Signal(string name)
    {
        if (name == "KILL")
        {
            _process.Kill();
        }
        else
        {
            Signal(name, [_process.Id]);
        }
    }

    /// <summary>Sends it and the processes that it started a signal, as a terminal does. Linux tells which those are.</summary>
    public void SignalAll(string name) => Signal(name, [_process.Id, .. Children(_process.Id)]);

    private static void Signal(string name, IEnumerable<int> processes)
    {
        using var kill = Process.Start(
            new ProcessStartInfo("kill", [$"-{name}", .. processes.Select(id => $"{id}")])
            {
                RedirectStandardError = true,
                UseShellExecute = false,
            }
        )!;
        kill.WaitForExit();
    }

    private static IEnumerable<int> Children(int parent) =>
        Process.GetProcesses().Select(process => process.Id).Where(id => ParentOf(id) == parent);

    // The name in the second place may hold blanks and parentheses.
    private static int ParentOf(int id)
    {
        try
        {
            return int.Parse(File.ReadAllText($"/proc/{id}/stat").Split(')')[^1].Split(' ')[2], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // It has ended.
        }
    }

    /// <summary>Waits for its end. What it started may hold its output open.</summary>
    public (int ExitCode, string Output, string Error) Wait()
    {
        _process.WaitForExit();
        return (_process.ExitCode, Read(_output), Read(_error));
    }

    private static string Read(Task<string> text) => text.Wait(s_patience) ? text.Result : "(kept open by what it started)";

    public void Dispose() => _process.Dispose();
}
