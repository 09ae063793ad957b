using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>A program that generates beside the suite's own engines, and what it can do.</summary>
/// <param name="Name">Name on the command line and in results: <c>external:</c> and the backend.</param>
/// <param name="Summary">One line for help texts.</param>
/// <param name="Backend">What the program is told to generate with.</param>
/// <param name="Devices">Where it can run, best first.</param>
/// <param name="HowToGet">One line: what to install, or what to write.</param>
public sealed record PeerKind(string Name, string Summary, string Backend, IReadOnlyList<PeerDevice> Devices, string HowToGet)
{
    /// <summary>Python modules that it needs; empty for a program that is run directly.</summary>
    public IReadOnlyList<string> Modules { get; init; } = [];

    /// <summary>File beside the suite's Python program that installs them; null for a program that is run directly.</summary>
    public string? RequirementsFile { get; init; }

    /// <summary>Options of its own, by name; empty for a program that is run directly, which alone knows them.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>True for one that reads a GGUF file or a folder of its own form, and no Hugging Face checkpoint.</summary>
    public bool ReadsGguf { get; init; }

    /// <summary>Program and arguments, when it is run directly; null for the suite's Python program.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Precisions on a device, the usual one first; empty where it cannot run.</summary>
    public IReadOnlyList<Precision> PrecisionsOn(ExecutionProvider provider) =>
        Devices.FirstOrDefault(device => device.Provider == provider)?.Precisions ?? [];
}

/// <summary>A place where a peer can run.</summary>
/// <param name="Provider">The place.</param>
/// <param name="Precisions">What it can load weights as there, the usual one first.</param>
public sealed record PeerDevice(ExecutionProvider Provider, IReadOnlyList<Precision> Precisions);
