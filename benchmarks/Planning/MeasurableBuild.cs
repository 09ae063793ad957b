using System.Diagnostics;
using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Refuses to measure what gives figures that mean nothing, as BenchmarkDotNet does: a Debug build, a process under a
/// debugger.</summary>
internal static class MeasurableBuild
{
    /// <summary>Environment variable that lets them through; children inherit it.</summary>
    public const string Variable = "LLAMA3PERF_ALLOW_DEBUG";

    /// <exception cref="EngineException">This process is one, and the variable is not set.</exception>
    public static void Require()
    {
        if (Environment.GetEnvironmentVariable(Variable) != "1" && WhyNot(Workspace.IsOptimized, Debugger.IsAttached) is { } reason)
        {
            throw new EngineException($"{reason}; {Variable}=1 measures all the same");
        }
    }

    /// <summary>Why figures would mean nothing; null when they do not.</summary>
    internal static string? WhyNot(bool isOptimized, bool hasDebugger) =>
        !isOptimized ? "this is a Debug build, whose figures mean nothing: build with -c Release"
        : hasDebugger ? "a debugger is attached, and figures under it mean nothing: start without one"
        : null;
}
