using System.Runtime.CompilerServices;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class WindowsParserTests
{
    private static readonly GpuInfo s_arc = new()
    {
        Index = 0,
        Name = "Intel(R) Arc(TM) Graphics",
        VendorId = "0x8086",
        DeviceId = "0x7d55",
    };

    [Fact]
    public void A_description_has_the_size_that_dxgi_writes() =>
        Assert.Equal(IntPtr.Size == 8 ? 312 : 292, Unsafe.SizeOf<AdapterDescription>());

    [Fact]
    public void An_adapter_is_what_dxgi_describes()
    {
        AdapterDescription description = new()
        {
            VendorId = 0x10de,
            DeviceId = 0x2820,
            DedicatedVideoMemory = 2047u << 20,
            LuidLow = 0x1234f,
            LuidHigh = -1,
        };
        "NVIDIA GeForce RTX 4070 Laptop GPU".AsSpan().CopyTo(description.Name);

        Assert.Equal(
            new GpuInfo
            {
                Index = 2,
                Name = "NVIDIA GeForce RTX 4070 Laptop GPU",
                VendorId = "0x10de",
                DeviceId = "0x2820",
                MemoryBytes = 2047L << 20,
                Luid = "0xffffffff0001234f",
            },
            WindowsParser.Adapter(2, description)
        );
    }

    [Fact]
    public void A_name_of_full_length_has_no_zero_at_its_end_and_the_basic_driver_is_software()
    {
        AdapterDescription description = new()
        {
            VendorId = 0x1414,
            DeviceId = 0x8c,
            Flags = 2,
        };
        ((Span<char>)description.Name).Fill('x');

        GpuInfo gpu = WindowsParser.Adapter(0, description);

        Assert.Equal(new string('x', 128), gpu.Name);
        Assert.Equal("0x008c", gpu.DeviceId);
        Assert.True(gpu.IsSoftware);
    }

    [Fact]
    public void The_driver_is_the_one_that_the_registry_lists_for_the_vendor_and_device()
    {
        DisplayDriver[] drivers =
        [
            new(@"root\basicrender", "10.0.26100.1", "6-21-2006"),
            new(@"PCI\VEN_8086&DEV_7D55&SUBSYS_223117AA", "32.0.101.6795", "5-9-2025"),
            new(@"pci\ven_8086&dev_7d56", "1.2.3.4", "1-1-2020"),
        ];

        Assert.Equal(
            s_arc with
            {
                DriverVersion = "32.0.101.6795",
                DriverDate = "2025-05-09",
            },
            Assert.Single(WindowsParser.WithDrivers([s_arc], drivers))
        );
    }

    [Theory]
    [InlineData("1.2.3.4", "1.2.3.4")]
    [InlineData("5.6.7.8", null)]
    public void Two_entries_for_one_device_count_only_where_they_agree(string second, string? expected)
    {
        DisplayDriver[] drivers =
        [
            new(@"pci\ven_8086&dev_7d55", "1.2.3.4", "1-1-2020"),
            new(@"pci\ven_8086&dev_7d55&rev_08", second, "1-1-2020"),
        ];

        Assert.Equal(expected, Assert.Single(WindowsParser.WithDrivers([s_arc], drivers)).DriverVersion);
    }

    [Theory]
    [InlineData("powercfg-de.txt", "Ausbalanciert")]
    [InlineData("powercfg-en.txt", "High performance (tuned)")]
    public void A_plan_is_read_in_every_language(string file, string expected) =>
        Assert.Equal(expected, WindowsParser.PowerPlan(CapturedFiles.Text("windows", file).ReplaceLineEndings("\r\n")));

    [Theory]
    [InlineData("Windows 10 Pro", "24H2", "26100", 4061, "Windows 11 Pro 24H2 10.0.26100.4061")]
    [InlineData("Windows 10 Pro", "22H2", "19045", 5965, "Windows 10 Pro 22H2 10.0.19045.5965")]
    [InlineData("Windows Server 2025", null, "26100", null, "Windows Server 2025 10.0.26100")]
    [InlineData(null, null, null, null, null)]
    public void A_build_at_or_above_22000_is_windows_11(string? product, string? version, string? build, int? revision, string? expected) =>
        Assert.Equal(expected, WindowsParser.OsBuild(product, version, build, revision));
}
