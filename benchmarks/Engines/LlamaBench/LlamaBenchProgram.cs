using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>llama.cpp's own benchmark program.</summary>
internal static class LlamaBenchProgram
{
    // Drivers of a GPU are loaded first.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>The file to run: the given path or name, else llama-bench on the PATH; null when there is none.</summary>
    public static string? Find(string? given) =>
        PeerCommand.Find(given ?? "llama-bench") ?? (given is not null && File.Exists(given) ? Path.GetFullPath(given) : null);

    /// <summary>Its backends that see a device, lowercase, none for a processor alone; null from versions that do not tell.</summary>
    public static IReadOnlyList<string>? Backends(string program)
    {
        try
        {
            return LlamaBenchReport.Backends(PipedProgram.Run(program, ["--list-devices"], s_patience));
        }
        catch (EngineException)
        {
            return null;
        }
    }
}
