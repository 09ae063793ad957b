using Llama3Perf.Models.Folders;

namespace Llama3Perf.Models.Tests.Folders;

/// <summary>Folders that Microsoft's model builder made open as what they are.</summary>
public sealed class OfficialFolderTests
{
    [Theory]
    [InlineData("llama3-gqa-bf16", "official-int4-cpu", Precision.Int4, 32, GraphFamily.Standard)]
    [InlineData("llama3-gqa-bf16", "official-int4-dml", Precision.Int4, 32, GraphFamily.DirectML)]
    [InlineData("llama3-gqa-bf16", "official-fp16-dml", Precision.Fp16, null, GraphFamily.DirectML)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-cpu", Precision.Int4, 32, GraphFamily.Standard)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-dml", Precision.Int4, 32, GraphFamily.DirectML)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-fp16-dml", Precision.Fp16, null, GraphFamily.DirectML)]
    public void Opens(string fixture, string variant, Precision precision, int? blockSize, GraphFamily family)
    {
        string path = Fixtures.Shared(fixture, variant);
        var folder = ModelFolderReader.Open(path);

        Assert.Equal((precision, blockSize, family), (folder.Precision, folder.BlockSize, folder.Family));
        Assert.Equal(family == GraphFamily.DirectML ? "position_ids" : null, folder.Names.PositionIds);
        Assert.False(folder.IsSynthetic);
        Assert.Equal(variant, folder.Name);
        Assert.Equal(
            new FileInfo(Path.Combine(path, "model.onnx")).Length + new FileInfo(Path.Combine(path, "model.onnx.data")).Length,
            folder.WeightBytes
        );
    }

    [Fact]
    public void Dimensions_come_from_the_configuration()
    {
        var folder = ModelFolderReader.Open(Fixtures.Shared("llama32-tied-ropescaled-sharded", "official-int4-cpu"));

        Assert.Equal((2048, 768, 128, 4), (folder.ContextLength, folder.VocabularySize, folder.HiddenSize, folder.LayerCount));
        Assert.Equal((4, 1, 64), (folder.HeadCount, folder.KeyValueHeadCount, folder.HeadSize));
        Assert.Equal(763, folder.BosTokenId);
        Assert.Equal([767, 764], folder.EosTokenIds);
    }
}
