using System.Text;
using System.Text.Json;
using Llama3Perf.Inference.Engines.Ort;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

public sealed class PlacementProfileTests
{
    // As ONNX Runtime 1.30 writes them, shortened.
    private const string Session = """{"cat":"Session","pid":1,"tid":1,"dur":7,"ts":1,"ph":"X","name":"model_loading_uri","args":{}}""";
    private const string MatMulOnGpu =
        """{"cat":"Node","pid":1,"tid":1,"dur":7,"ts":9,"ph":"X","name":"/model/layers.0/attn/qkv_proj/MatMul_Q4_kernel_time","args":{"op_name":"MatMulNBits","provider":"DmlExecutionProvider","node_index":"7"}}""";
    private const string ShapeOnCpu =
        """{"cat":"Node","pid":1,"tid":1,"dur":7,"ts":9,"ph":"X","name":"/model/attn_mask_reformat/Shape_kernel_time","args":{"op_name":"Shape","provider":"CPUExecutionProvider","node_index":"3"}}""";
    private const string AttentionOnCpu =
        """{"cat":"Node","pid":1,"tid":1,"dur":7,"ts":9,"ph":"X","name":"/model/layers.0/attn/GroupQueryAttention_kernel_time","args":{"op_name":"GroupQueryAttention","provider":"CPUExecutionProvider","node_index":"9"}}""";

    [Fact]
    public void Shape_nodes_on_the_cpu_are_no_fallback() => Assert.Null(Warning(Session, MatMulOnGpu, ShapeOnCpu));

    [Fact]
    public void A_compute_node_on_the_cpu_is_named()
    {
        string? warning = Warning(Session, MatMulOnGpu, AttentionOnCpu, AttentionOnCpu);

        Assert.Equal("1 compute nodes did not run on DmlExecutionProvider (GroupQueryAttention)", warning);
    }

    [Fact]
    public void A_profile_without_compute_nodes_proves_nothing() =>
        Assert.Equal("the profile shows no compute node on DmlExecutionProvider", Warning(Session, ShapeOnCpu));

    [Fact]
    public void Anything_else_is_no_profile() =>
        Assert.ThrowsAny<JsonException>(() => PlacementProfile.Warning(Encoding.UTF8.GetBytes("[{"), "DmlExecutionProvider"));

    private static string? Warning(params string[] events) =>
        PlacementProfile.Warning(Encoding.UTF8.GetBytes($"[{string.Join(',', events)}]"), "DmlExecutionProvider");
}
