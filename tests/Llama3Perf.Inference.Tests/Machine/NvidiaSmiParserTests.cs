using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class NvidiaSmiParserTests
{
    [Fact]
    public void What_the_driver_does_not_tell_is_null() =>
        Assert.Equal(
            new GpuInfo
            {
                Name = "NVIDIA GB10",
                VendorId = "0x10de",
                DeviceId = "0x2e12",
                DriverVersion = "580.95.05",
            },
            Assert.Single(NvidiaSmiParser.ParseGpus("0, NVIDIA GB10, 0x2E1210DE, [N/A], 580.95.05\n"))
        );

    [Fact]
    public void The_place_on_the_bus_is_kept_where_it_is_told()
    {
        GpuInfo told = Assert.Single(NvidiaSmiParser.ParseGpus("3, NVIDIA H100, 0x233510DE, 81559, 580.95.05, 00000000:65:00.0\n"));

        Assert.Equal((3, "NVIDIA H100", "00000000:65:00.0"), (told.Index, told.Name, told.PciBusId));
        Assert.Null(CudaDevices.IndexOf(told with { PciBusId = null }));
    }

    [Theory]
    [InlineData("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n")]
    [InlineData("No devices were found\n")]
    [InlineData("")]
    [InlineData(null)]
    public void A_message_in_place_of_rows_is_no_adapter(string? text) => Assert.Empty(NvidiaSmiParser.ParseGpus(text));

    [Theory]
    [InlineData("4242, 1024\n4242, 512\n42, 7\n", 1536L << 20)]
    [InlineData("42, 7\n", null)]
    [InlineData("4242, [N/A]\n", null)]
    [InlineData("", null)]
    public void A_process_has_the_sum_of_its_rows(string text, long? expected) =>
        Assert.Equal(expected, NvidiaSmiParser.ParseProcessBytes(text, 4242));
}
