using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Has a freshly loaded model generate two tokens under ONNX Runtime's profiler, to see where its nodes really run.</summary>
internal sealed class PlacementProof(OrtProvider provider) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llama3perf-");

    /// <summary>Where the session is to write its profile.</summary>
    public string ProfilePrefix => Path.Combine(_folder.FullName, "profile");

    /// <summary>Runs and judges. Profiling has ended then: what follows is measured without it.</summary>
    /// <returns>Why the model may not be reported as the provider's, or null.</returns>
    public string? Warning(OrtEngine engine, InferenceSession session)
    {
        engine.Reset(4);
        engine.Prefill([0, 1]);
        engine.NextToken();
        engine.NextToken();
        engine.DropSequence();
        return PlacementProfile.WarningOf(session.EndProfiling(), provider.OnnxRuntimeName);
    }

    public void Dispose()
    {
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A failed session may still hold its file; the system cleans its folder of temporary files.
        }
    }
}
