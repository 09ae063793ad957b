using System.Diagnostics;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>The one model that this process holds: cases that share model, engine and engine options find it loaded.</summary>
internal sealed class LoadedModel : IDisposable
{
    private static LoadedModel? s_current;

    private readonly ModelKey _key;
    private double? _unreportedLoadMs;

    private LoadedModel(PlannedCase planned)
    {
        _key = KeyOf(planned);
        long start = Stopwatch.GetTimestamp();
        Generator = EngineFamilies.Of(planned.Key.Engine).Load(planned);
        _unreportedLoadMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public IGenerator Generator { get; }

    public static LoadedModel Get(PlannedCase planned)
    {
        if (s_current is null || s_current._key != KeyOf(planned))
        {
            // First out, then in: two models at once may not fit into memory.
            Unload();
            s_current = new LoadedModel(planned);
        }

        return s_current;
    }

    /// <summary>A model of its own, beside the one that cases share.</summary>
    public static LoadedModel Load(PlannedCase planned) => new(planned);

    public static void Unload()
    {
        s_current?.Dispose();
        s_current = null;
    }

    /// <summary>What the launch reports of the model; the load time belongs to the first launch that used it.</summary>
    public LaunchStarted TakeStartedLine()
    {
        double? loadMs = _unreportedLoadMs;
        _unreportedLoadMs = null;
        // What another engine has left loaded in this process takes no part.
        IReadOnlyList<string> needed =
            EngineCatalog.All.FirstOrDefault(kind => kind.Name == Generator.Description.Engine)?.NativeLibraries ?? [];
        return new LaunchStarted(
            loadMs,
            Generator.Description,
            [
                .. NativeLibraries
                    .Loaded()
                    .Where(library => needed.Contains(library.Name))
                    .Select(library => library with { Path = HomePaths.OfLibrary(library.Path) }),
            ]
        );
    }

    public void Dispose() => Generator.Dispose();

    private static ModelKey KeyOf(PlannedCase planned) =>
        new(
            planned.Key.Engine,
            planned.ModelPath,
            planned.Key.Provider,
            planned.Key.Device,
            planned.Key.Threads,
            OptionsText.Of(planned.EngineOptions),
            planned.Peer is { } peer
                ? $"{peer.Program} {string.Join(' ', peer.Arguments)} {peer.Precision} {peer.MaxLength} {OptionsText.Of(peer.Options)}"
                : null
        );

    private sealed record ModelKey(
        string Engine,
        string Path,
        string Provider,
        string? Device,
        int? Threads,
        string? Options,
        string? Peer
    );
}
