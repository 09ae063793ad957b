using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>Folders that the library would refuse on DirectML in words that name no cause: refused before it is asked, on every
/// machine.</summary>
public sealed class GenAiRefusalTests : IDisposable
{
    private static readonly EngineOptions s_directML = new() { Provider = ExecutionProvider.Dml };

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-refusal-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_official_tied_int4_folder_is_refused_with_the_operator_and_the_way_out()
    {
        string path = Fixtures.Shared("llama32-tied-ropescaled-sharded", "official-int4-dml");

        string refusal = Assert.Throws<EngineException>(() => GenAiConfig.Refuse(ModelFolderReader.Open(path), s_directML)).Message;

        Assert.StartsWith($"{path} has its embedding in GatherBlockQuantized, which DirectML lacks: ", refusal, StringComparison.Ordinal);
        Assert.Contains("build it with --provider dml", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Precision.Int4)]
    [InlineData(Precision.Int8)]
    public void Our_own_form_of_a_tied_model_is_not(Precision precision) =>
        GenAiConfig.Refuse(
            ModelBuilder.Build(
                new ModelBuildOptions
                {
                    Model = "llama-tiny",
                    Precision = precision,
                    Target = GraphTarget.DirectML,
                    TieEmbeddings = true,
                },
                Path.Combine(_folder, "model"),
                cancellationToken: TestContext.Current.CancellationToken
            ),
            s_directML
        );
}
