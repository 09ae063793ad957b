using System.Diagnostics;
using System.Text;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Engines.External;

/// <summary>Starts peers that are no more than a Python script.</summary>
internal static class Peers
{
    public const string Greeting = """{"protocol":"llama3perf-peer","version":1,"program":"scripted 1"}""";
    public const string Loaded = """{"id":1,"result":{"device":"cpu","precision":"fp32","vocab_size":10,"eos_token_ids":[2]}}""";

    // Prints each argument once: the first at the start, each other one for a request. Then it waits for the end of its input.
    private const string Script = """
        import sys
        out = sys.stdout.buffer
        for text in sys.argv[1:]:
            out.write(bytes.fromhex(text)); out.flush()
            if not sys.stdin.buffer.readline(): break
        """;

    private static readonly Lazy<string?> s_python = new(() => PythonProgram.Find().Python is { } python ? Executable(python) : null);

    /// <summary>Patience for what works, on a machine that is busy.</summary>
    public static PeerLimits Patient { get; } =
        new()
        {
            Greeting = TimeSpan.FromSeconds(20),
            Load = TimeSpan.FromSeconds(20),
            Generate = TimeSpan.FromSeconds(20),
            Exit = TimeSpan.FromSeconds(10),
        };

    /// <summary>The executable itself; the test is skipped where there is none.</summary>
    public static string Python
    {
        get
        {
            if (s_python.Value is null)
            {
                Assert.Skip(PythonProgram.Find().Reason ?? "no Python");
            }

            return s_python.Value;
        }
    }

    /// <summary>The fake peer in one of its modes.</summary>
    public static PeerOptions Fake(string mode, params string[] more) =>
        new(Python, "fake")
        {
            Arguments =
            [
                "-I",
                "-S",
                Path.Combine(Fixtures.Root, "tests", "peers", "fake_peer.py"),
                "--mode",
                mode,
                "--token-ms",
                "0.1",
                "--prefill-ms",
                "0.5",
                .. more,
            ],
            MaxLength = 64,
            Limits = Patient,
        };

    public static ExternalGenerator Load(string mode) =>
        new(
            ".",
            Fake(mode) with
            {
                Limits = Patient with
                {
                    Exit = TimeSpan.FromMilliseconds(200),
                    Generate = mode is "good" or "no-exit" ? Patient.Generate : TimeSpan.FromMilliseconds(1500),
                },
            }
        );

    /// <summary>A peer that prints these lines.</summary>
    public static PeerOptions Saying(params string[] lines) => SayingBytes([.. lines.Select(line => Encoding.UTF8.GetBytes(line + "\n"))]);

    /// <summary>A peer that prints these bytes, then ends when its input does or when it has nothing more to say.</summary>
    public static PeerOptions SayingBytes(params byte[][] texts) => Running(Script, [.. texts.Select(Convert.ToHexString)]);

    /// <summary>A peer that is this script.</summary>
    public static PeerOptions Running(string script, params string[] arguments) =>
        new(Python, "scripted")
        {
            Arguments = ["-I", "-S", "-c", script, .. arguments],
            MaxLength = 64,
            Precision = Precision.Fp32,
            Limits = Patient,
        };

    /// <summary>Waits until a process is gone; one that only waits for its parent to take note counts as gone.</summary>
    public static bool IsGone(int id)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < 5)
        {
            if (!Runs(id))
            {
                return true;
            }

            Thread.Sleep(10);
        }

        return false;
    }

    /// <summary>True while a process runs.</summary>
    public static bool Runs(int id)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                return File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1][0] is not ('Z' or 'X');
            }

            using Process process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>The one line of an engine's failure.</summary>
    public static string Refused(Action action)
    {
        string message = Assert.Throws<EngineException>(action).Message;
        Assert.DoesNotContain('\n', message);
        Assert.True(message.Length < 1200, message);
        return message;
    }

    /// <summary>The one line of a peer that cannot be started or cannot load.</summary>
    public static string LoadRefused(PeerOptions options) => Refused(() => new ExternalGenerator(".", options).Dispose());

    // A version manager's launcher would cost each test a tenth of a second.
    private static string Executable(PythonProgram python)
    {
        ProcessStartInfo start = new(python.Path, [.. python.Arguments, "-c", "import sys; print(sys.executable)"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using Process process = Process.Start(start)!;
        return process.StandardOutput.ReadToEnd().Trim();
    }
}
