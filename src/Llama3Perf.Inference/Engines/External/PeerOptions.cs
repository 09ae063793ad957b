using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>Which program to start, and how it loads a model.</summary>
/// <param name="Program">Executable: a path, or a name on the PATH.</param>
/// <param name="Backend">What the program generates with; the engine's name in results is <c>external:</c> and this.</param>
public sealed record PeerOptions(string Program, string Backend)
{
    /// <summary>Arguments of the program, unquoted.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Environment variables beside those of this process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The folder that the program runs in, which its arguments, its options and the model's path may start from:
    /// that of the process where these options were made, for the one that measures may run in another.</summary>
    public string Directory { get; init; } = System.Environment.CurrentDirectory;

    /// <summary>Where the model runs.</summary>
    public ExecutionProvider Device { get; init; } = ExecutionProvider.Cpu;

    /// <summary>Name of the adapter that was chosen: the one that the program must name as its device. Null where none was.</summary>
    public string? DeviceName { get; init; }

    /// <summary>What the program loads the weights as.</summary>
    public Precision Precision { get; init; } = Precision.Fp32;

    /// <summary>Threads; null leaves them to the program.</summary>
    public int? Threads { get; init; }

    /// <summary>The longest sequence that will be asked for, prompt and new tokens together.</summary>
    public required int MaxLength { get; init; }

    /// <summary>The program's own options.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>How long to wait for it.</summary>
    public PeerLimits Limits { get; init; } = new();
}

/// <summary>How long a peer may take, and how much it may say, before it counts as stuck and is killed.</summary>
public sealed record PeerLimits
{
    /// <summary>From its start to its greeting.</summary>
    public TimeSpan Greeting { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Loading a model.</summary>
    public TimeSpan Load { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>One generation.</summary>
    public TimeSpan Generate { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Importing what it needs and counting devices.</summary>
    public TimeSpan Probe { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Any other request.</summary>
    public TimeSpan Other { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>From the end of its standard input to its own end.</summary>
    public TimeSpan Exit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest line that it may print, in bytes.</summary>
    public int LineBytes { get; init; } = 64 << 20;
}
