using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>The plan on its way to the processes that measure it.</summary>
[Collection(nameof(Commands.CliSession))]
public sealed class SuitePlanTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-plan-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Precision.Int4)]
    [InlineData(Precision.Fp32)] // Which has no quantization block.
    public void A_draft_model_arrives_as_it_was(Precision precision)
    {
        ModelFolder draft = ModelBuilder.Build(
            new ModelBuildOptions { Model = "llama-tiny", Precision = precision },
            Path.Combine(_folder, "draft"),
            cancellationToken: TestContext.Current.CancellationToken
        );
        PlannedCase planned = PlannedCase.None with
        {
            CaseId = "drafted",
            EngineOptions = new EngineOptions { Speculation = new Speculation(4) { Draft = draft with { BosTokenId = null } } },
        };
        string path = Path.Combine(_folder, "plan.json");
        using ProcessState process = new();
        process.Set(SuitePlan.Variable, path);

        new SuitePlan([planned], []).Write(path);

        ModelFolder read = SuitePlan.Current.Cases.Single().EngineOptions.Speculation!.Draft!;
        Assert.Equal((draft.GraphPath, draft.BlockSize, null), (read.GraphPath, read.BlockSize, read.BosTokenId));
        Assert.Equal(draft.EosTokenIds, read.EosTokenIds);
    }
}
