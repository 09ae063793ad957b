using System.Diagnostics;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

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
        Generator = planned.Peer is { } peer ? LoadPeer(planned, peer) : LoadEngine(planned);
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
        return new LaunchStarted(loadMs, Generator.Description, NativeLibraries.Loaded());
    }

    public void Dispose() => Generator.Dispose();

    private static EngineGenerator LoadEngine(PlannedCase planned) =>
        new(EngineCatalog.Get(planned.Parameters.Engine).Load(ModelFolderReader.Open(planned.ModelFolder), planned.EngineOptions));

    private static ExternalGenerator LoadPeer(PlannedCase planned, PeerOptions peer)
    {
        ExternalGenerator generator = new(planned.ModelFolder, peer);
        try
        {
            PeerRules.CheckPrompt(planned, generator);
            return generator;
        }
        catch
        {
            generator.Dispose();
            throw;
        }
    }


    // The other engine options are the same for all cases of a run.
    private static ModelKey KeyOf(PlannedCase planned) =>
        new(planned.Parameters.Engine, planned.ModelFolder, planned.EngineOptions.Provider, planned.Peer?.Precision, planned.Peer?.MaxLength);

    private sealed record ModelKey(string Engine, string Folder, ExecutionProvider Provider, Precision? PeerPrecision, int? PeerMaxLength);
}
