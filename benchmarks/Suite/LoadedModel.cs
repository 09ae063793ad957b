using System.Diagnostics;
using Llama3Perf.Benchmarks.Measuring;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Suite;

/// <summary>The one model that this process holds: cases that share model, engine and engine options find it loaded.</summary>
internal sealed class LoadedModel : IDisposable
{
    private static LoadedModel? s_current;

    private readonly (string Engine, string Folder, ExecutionProvider Provider) _key;
    private double? _unreportedLoadMs;

    private LoadedModel(PlannedCase planned)
    {
        _key = KeyOf(planned);
        ModelFolder folder = ModelFolder.Open(planned.ModelFolder);
        long start = Stopwatch.GetTimestamp();
        Engine = EngineCatalog.Get(planned.Parameters.Engine).Load(folder, planned.EngineOptions);
        _unreportedLoadMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public IEngine Engine { get; }

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
        return new LaunchStarted(loadMs, Engine.Description, NativeLibraries.Loaded());
    }

    public void Dispose() => Engine.Dispose();

    // The other engine options are the same for all cases of a run.
    private static (string Engine, string Folder, ExecutionProvider Provider) KeyOf(PlannedCase planned) =>
        (planned.Parameters.Engine, planned.ModelFolder, planned.EngineOptions.Provider);
}
