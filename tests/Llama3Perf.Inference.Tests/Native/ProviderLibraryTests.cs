using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Native;

/// <summary>What names a provider's library on the command line, and what follows from the name.</summary>
public sealed class ProviderLibraryTests
{
    [Theory]
    [InlineData("WebGPU", "is not of the form name=path")]
    [InlineData("=x.so", "is not of the form name=path")]
    [InlineData("a b=x.so", "is not of the form name=path")]
    [InlineData("x=nowhere.so", "nowhere.so does not exist")]
    public void What_names_no_library_is_refused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<EngineException>(() => ProviderLibrary.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("WebGPU", GraphTarget.WebGpu)]
    [InlineData("NvTensorRTRTX", GraphTarget.Cuda)]
    [InlineData("my-cuda", GraphTarget.Cuda)]
    [InlineData("OpenVINO", GraphTarget.Cpu)]
    public void The_form_of_graphs_follows_the_name(string name, GraphTarget target)
    {
        var library = ProviderLibrary.Parse($"{name}={typeof(ProviderLibraryTests).Assembly.Location}");
        Assert.Equal((name, typeof(ProviderLibraryTests).Assembly.Location), (library.Name, library.Path));
        Assert.Equal(target, library.Target);
    }
}
