using Llama3Perf.Models.Building;
using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Tests.Checkpoints;

/// <summary>
/// The bytes of our conversions against those of ONNX Runtime GenAI's builder: every stored tensor of its folders (packed weights,
/// scales, norms, embeddings, float16 matrices) but the rotary caches, whose cosines differ in the last bit.
/// </summary>
public sealed class OfficialWeightTests
{
    [Theory]
    [InlineData("llama3-gqa-bf16", "official-int4-cpu", Precision.Int4, GraphTarget.Cpu, 40)]
    [InlineData("llama3-gqa-bf16", "official-int4-dml", Precision.Int4, GraphTarget.DirectML, 52)]
    [InlineData("llama3-gqa-bf16", "official-fp16-dml", Precision.Fp16, GraphTarget.DirectML, 30)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-cpu", Precision.Int4, GraphTarget.Cpu, 51)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-dml", Precision.Int4, GraphTarget.DirectML, 67)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-fp16-dml", Precision.Fp16, GraphTarget.DirectML, 38)]
    public void Every_weight_is_byte_identical(string fixture, string variant, Precision precision, GraphTarget target, int expected)
    {
        using var folder = new TemporaryFolder();
        var options = new ModelBuildOptions
        {
            Model = Fixtures.Shared(fixture, "hf"),
            Precision = precision,
            Target = target,
        };
        ModelFolder built = ModelBuilder.Build(options, folder["model"], cancellationToken: TestContext.Current.CancellationToken);

        Dictionary<string, byte[]> ours = Tensors(built.Path);
        Dictionary<string, byte[]> official = Tensors(Fixtures.Shared(fixture, variant));
        string[] compared = [.. official.Keys.Where(name => !name.EndsWith("_cache", StringComparison.Ordinal))];

        Assert.Equal(expected, compared.Length);
        Assert.All(compared, name => Assert.True(official[name].AsSpan().SequenceEqual(ours[name]), name));
        Assert.All(["cos_cache", "sin_cache"], name => Assert.Equal(official[name].Length, ours[name].Length));
    }

    private static Dictionary<string, byte[]> Tensors(string folder)
    {
        byte[] data = File.ReadAllBytes(Path.Combine(folder, "model.onnx.data"));
        return OnnxFile
            .Read(Path.Combine(folder, "model.onnx"))
            .Graph.Initializer.Where(tensor => tensor.DataLocation == DataLocation.External)
            .ToDictionary(tensor => tensor.Name, tensor => data.AsSpan(Entry(tensor, "offset"), Entry(tensor, "length")).ToArray());
    }

    private static int Entry(TensorProto tensor, string key) => int.Parse(tensor.ExternalData.Single(entry => entry.Key == key).Value);
}
