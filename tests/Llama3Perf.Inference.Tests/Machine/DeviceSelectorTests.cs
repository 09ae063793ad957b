using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class DeviceSelectorTests
{
    private static readonly GpuInfo[] s_gpus =
    [
        new() { Index = 0, Name = "NVIDIA GeForce RTX 4070 Laptop GPU" },
        new() { Index = 1, Name = "Intel(R) Iris(R) Xe Graphics" },
        new() { Index = 2 },
    ];

    [Theory]
    [InlineData("0", 0)]
    [InlineData(" 2 ", 2)]
    [InlineData("iris", 1)]
    [InlineData("rtx 4070", 0)]
    public void An_index_or_a_part_of_a_name_is_enough(string device, int expected) =>
        Assert.Equal(expected, DeviceSelector.Select(s_gpus, device).Index);

    [Theory]
    [InlineData("3", "fits no adapter")]
    [InlineData("4070", "fits no adapter")] // a whole number is an index
    [InlineData("Radeon", "fits no adapter")]
    [InlineData("", "fits no adapter")]
    [InlineData("-1", "fits no adapter")]
    [InlineData("a\nb", "fits no adapter")]
    [InlineData("i", "fits more than one adapter")]
    public void Anything_else_is_one_line_with_the_adapters(string device, string problem)
    {
        string message = Assert.Throws<EngineException>(() => DeviceSelector.Select(s_gpus, device)).Message;

        Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.Contains(
            "0 NVIDIA GeForce RTX 4070 Laptop GPU, 1 Intel(R) Iris(R) Xe Graphics, 2 (no name)",
            message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_machine_without_adapters_says_so() =>
        Assert.Contains(
            "this machine shows none",
            Assert.Throws<EngineException>(() => DeviceSelector.Select([], "0")).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("AD102 [GeForce RTX 4090]", "NVIDIA GeForce RTX 4090", true)]
    [InlineData("Meteor Lake-P [Intel Arc Graphics]", "Intel(R) Arc(TM) Graphics (iGPU)", true)]
    [InlineData("NVIDIA H200", "NVIDIA H200 MIG 1g.18gb", true)]
    [InlineData("NVIDIA GeForce RTX 4070 Laptop GPU", "Intel(R) Iris(R) Xe Graphics", false)]
    [InlineData("NVIDIA GeForce RTX 4070", "NVIDIA GeForce RTX 4090", false)]
    public void Two_names_of_one_adapter_share_what_is_at_their_heart(string listed, string told, bool isOne)
    {
        Assert.Equal(isOne, DeviceSelector.AreOne(listed, told));
        Assert.Equal(isOne, DeviceSelector.AreOne(told, listed));
    }

    [Theory]
    [InlineData("0x0-0x2", "second")]
    [InlineData("0x0-0x9", "second")]
    [InlineData(null, "second")]
    public void DirectML_takes_the_adapter_that_the_system_prefers_else_the_first_real_one(string? luid, string expected)
    {
        GpuInfo[] adapters =
        [
            new()
            {
                Index = 0,
                Name = "first",
                Luid = "0x0-0x1",
                IsSoftware = true,
            },
            new()
            {
                Index = 1,
                Name = "second",
                Luid = "0x0-0x2",
            },
            new()
            {
                Index = 2,
                Name = "third",
                Luid = "0x0-0x3",
            },
        ];

        Assert.Equal(expected, DirectMLAdapter.Choose(adapters, luid)?.Name);
        Assert.Equal("third", DirectMLAdapter.Choose(adapters, "0x0-0x3")?.Name);
        Assert.Equal("first", DirectMLAdapter.Choose(adapters[..1], luid)?.Name);
        Assert.Null(DirectMLAdapter.Choose([], luid));
    }
}
