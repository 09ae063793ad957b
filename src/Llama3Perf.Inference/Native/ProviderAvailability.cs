namespace Llama3Perf.Inference.Native;

/// <summary>Whether a native library is here and can run on an execution provider; the same question for every engine in this
/// process.</summary>
internal static class ProviderAvailability
{
    /// <param name="provider">Where a model is to run.</param>
    /// <param name="requireLibrary">Loads the engine's library, or throws why it cannot.</param>
    /// <param name="onnxRuntimeName">ONNX Runtime's name of the provider; null for the CPU. Asked for after the library is there.</param>
    /// <param name="trial">Runs something small there: why that failed, or null.</param>
    public static Availability Of(
        ExecutionProvider provider,
        Action requireLibrary,
        Func<string?> onnxRuntimeName,
        Func<ExecutionProvider, string?> trial
    )
    {
        if (provider.ForeignDeviceReason() is { } foreign)
        {
            return Availability.No(foreign);
        }

        try
        {
            requireLibrary();
        }
        catch (EngineException e)
        {
            return Availability.No(e.Message);
        }

        return onnxRuntimeName() is { } name && (NativeLibraries.ProviderProblem(name) ?? trial(provider)) is { } problem
            ? Availability.No(problem)
            : Availability.Yes;
    }
}
