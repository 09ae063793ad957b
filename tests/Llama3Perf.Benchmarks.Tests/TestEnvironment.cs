using System.Runtime.CompilerServices;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Tests;

/// <summary>What tests set before any runs, and programs that they start inherit: tests measure, and assert no figures.</summary>
internal static class TestEnvironment
{
#pragma warning disable CA2255 // Before any test.
    [ModuleInitializer]
    internal static void Set()
    {
        // Whatever way they were built and started.
        Environment.SetEnvironmentVariable(MeasurableBuild.Variable, "1");
        // A measuring program compiles each method once and fully. A test starts some two hundred that end after seconds.
        Environment.SetEnvironmentVariable("DOTNET_TieredCompilation", "1");
        Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
    }
#pragma warning restore CA2255
}
