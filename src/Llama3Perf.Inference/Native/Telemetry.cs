using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Native;

/// <summary>
/// Microsoft's telemetry client inside the native libraries (Linux packages of ONNX Runtime from 1.31, onnxruntime-genai from 0.18),
/// which is on unless it is told otherwise. Here it is off: a benchmark does not talk to the network while it measures.
/// </summary>
public static class Telemetry
{
    /// <summary>The libraries' own switch, read while they load. Children inherit it: measuring processes and external engines.</summary>
    public const string OffVariable = "ORT_DISABLE_TELEMETRY";

    /// <summary><c>on</c> leaves the libraries as they come.</summary>
    public const string ChoiceVariable = "LLAMA3PERF_TELEMETRY";

    private static readonly string? s_found = Environment.GetEnvironmentVariable(OffVariable);

    /// <summary>True unless the user asked for it.</summary>
    public static bool IsOff => Environment.GetEnvironmentVariable(ChoiceVariable) != "on";

    /// <summary>Leaves the libraries as they come, for this process and its children; before anything of ONNX Runtime is used.</summary>
    public static void LeaveOn()
    {
        Environment.SetEnvironmentVariable(ChoiceVariable, "on");
        NativeEnvironment.Set(OffVariable, s_found);
    }

    /// <summary>Turns it off before a library is loaded, unless the user asked for it.</summary>
    internal static void TurnOff()
    {
        if (IsOff)
        {
            NativeEnvironment.Set(OffVariable, "1");
        }
    }

    /// <summary>The C API's switch beside the variable: ONNX Runtime's events for Windows have no other.</summary>
    internal static OrtEnv TurnOff(OrtEnv environment)
    {
        if (IsOff)
        {
            environment.DisableTelemetryEvents();
        }

        return environment;
    }

    /// <summary>onnxruntime-genai's switch; libraries before 0.18 have neither it nor telemetry.</summary>
    /// <param name="library">The loaded library.</param>
    internal static unsafe void TurnOffGenAi(nint library)
    {
        if (IsOff && NativeLibrary.TryGetExport(library, "OgaSetTelemetryEnabled", out nint entry))
        {
            ((delegate* unmanaged<byte, void>)entry)(0);
        }
    }
}
