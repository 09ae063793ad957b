using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Building;

/// <summary>Checkpoints whose files can be misread, built and run: the answers are transformers'.</summary>
public sealed class CheckpointCaseTests
{
    [Theory]
    [InlineData("rope-both-llama3")]
    [InlineData("rope-original-length-16-inner-64-top")]
    [InlineData("tied-head-differs-few-rows")]
    [InlineData("tied-only-head-stored")]
    [InlineData("right-llama32-factor-8")]
    public void Built_as_transformers_reads_it(string name)
    {
        using CaseFolder checkpoint = new(name);
        AssertRight(checkpoint.Path, checkpoint["built"], checkpoint.Reference);
    }

    private static void AssertRight(string checkpoint, string output, string reference)
    {
        ModelBuildOptions options = new() { Model = checkpoint, Precision = Precision.Fp32 };
        ModelFolder folder = ModelBuilder.Build(options, output, cancellationToken: TestContext.Current.CancellationToken);
        using IEngine engine = EngineCatalog.Get("ort").Load(folder, new EngineOptions { Threads = 1, AllowEos = true });
        Assert.Null(
            ModelVerification
                .Of(engine, folder, Reference.Read(reference), VerificationLimits.For(Precision.Fp32, Closeness.OtherWeights))
                .Failure
        );
    }
}
