using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class MacOSParserTests
{
    private const string M3 = "macos-apple-m3-max";

    [Fact]
    public void An_apple_chip_has_a_name_and_neither_pci_identifiers_nor_memory_of_its_own() =>
        Assert.Equal(new GpuInfo { Name = "Apple M3 Max" }, Assert.Single(MacOSParser.Gpus(CapturedFiles.Text(M3, "displays.json"))));

    [Fact]
    public void Memory_that_an_adapter_borrows_is_not_its_own() =>
        Assert.Equal(
            [
                new GpuInfo
                {
                    Index = 0,
                    Name = "Intel UHD Graphics 630",
                    DeviceId = "0x3e9b",
                },
                new GpuInfo
                {
                    Index = 1,
                    Name = "AMD Radeon Pro 5500M",
                    VendorId = "0x1002",
                    DeviceId = "0x7340",
                    MemoryBytes = 8L << 30,
                },
            ],
            MacOSParser.Gpus(CapturedFiles.Text("macos-intel-radeon", "displays.json"))
        );

    [Fact]
    public void The_other_tools_are_read()
    {
        Assert.Equal(
            "ac; plan low power",
            MacOSParser.PowerSource(CapturedFiles.Text(M3, "pmset-batt.txt"), CapturedFiles.Text(M3, "pmset.txt"))
        );
        Assert.Equal("01234567-89AB-CDEF-0123-456789ABCDEF", MacOSParser.PlatformId(CapturedFiles.Text(M3, "ioreg.txt")));
        Assert.Equal(160_000L * 16384, MacOSParser.AvailableBytes(CapturedFiles.Text(M3, "vm_stat.txt")));
        Assert.Equal("macOS 15.5 24F74", MacOSParser.OsBuild(CapturedFiles.Text(M3, "sw_vers.txt")));
    }

    [Fact]
    public void A_tool_that_is_missing_leaves_nulls()
    {
        Assert.Empty(MacOSParser.Gpus(null));
        Assert.Null(MacOSParser.PowerSource(null, null));
        Assert.Null(MacOSParser.PlatformId(null));
        Assert.Null(MacOSParser.AvailableBytes(null));
        Assert.Null(MacOSParser.OsBuild(null));
    }
}
