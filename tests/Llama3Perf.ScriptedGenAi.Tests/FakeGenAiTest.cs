using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.GenAi;

namespace Llama3Perf.ScriptedGenAi.Tests;

/// <summary>A test on the fake library.</summary>
public abstract class FakeGenAiTest : IDisposable
{
    internal FakeGenAi Fake { get; } = new();

    /// <summary>After every test: nothing misused, nothing left alive.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Assert.Equal("", Fake.Misuse);
        Assert.Equal(Fake.LiveAtStart, Fake.Live);
        Assert.Equal(0, OgaHandle.LiveCount);
    }

    internal static IEngine Load(EngineOptions? options = null) => GenAiRuntime.Kind.Load(FakeGenAi.Folder, options ?? new EngineOptions());
}
