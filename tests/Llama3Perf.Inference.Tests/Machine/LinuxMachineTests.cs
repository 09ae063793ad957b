using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class LinuxMachineTests
{
    [Fact]
    public void An_intel_laptop_on_battery_is_read_whole()
    {
        MachineInfo info = Machine("linux-intel-arc").Capture(null);

        Assert.Equal("Intel(R) Core(TM) Ultra 7 155H", info.CpuName);
        Assert.Equal(32327432L * 1024, info.RamBytes);
        Assert.Equal("Ubuntu 24.04.1 LTS; Linux 6.8.0-45-generic", info.OsBuild);
        Assert.Equal("battery; plan powersave", info.PowerSource);
        Assert.Equal(
            new GpuInfo
            {
                Index = 0,
                Name = "Intel Corporation Meteor Lake-P [Intel Arc Graphics]",
                VendorId = "0x8086",
                DeviceId = "0x7d55",
                DriverVersion = "6.8.0-45-generic",
            },
            Assert.Single(info.Gpus)
        );
    }

    [Fact]
    public void A_driver_with_a_version_of_its_own_shows_that_and_not_the_kernels()
    {
        MachineInfo info = Machine("linux-amd-radeon").Capture(null);

        Assert.Equal("plan performance", info.PowerSource);
        Assert.Equal(
            new GpuInfo
            {
                Name = "Advanced Micro Devices, Inc. [AMD/ATI] Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]",
                VendorId = "0x1002",
                DeviceId = "0x744c",
                MemoryBytes = 25753026560,
                DriverVersion = "6.7.0",
            },
            Assert.Single(info.Gpus)
        );
    }

    [Fact]
    public void A_laptop_with_two_adapters_lists_each_once_and_nvidias_first()
    {
        MachineInfo info = Machine("linux-nvidia-laptop").Capture(CapturedFiles.Text("linux-nvidia-laptop", "nvidia-smi.csv"));

        Assert.Equal("ac", info.PowerSource);
        Assert.Equal(
            [
                new GpuInfo
                {
                    Index = 0,
                    Name = "NVIDIA GeForce RTX 4070 Laptop GPU",
                    VendorId = "0x10de",
                    DeviceId = "0x2820",
                    MemoryBytes = 8188L << 20,
                    DriverVersion = "535.129.03",
                    DriverDate = "2023-10-19",
                },
                new GpuInfo
                {
                    Index = 1,
                    VendorId = "0x8086",
                    DeviceId = "0xa7a0",
                    DriverVersion = "6.5.0-35-generic",
                },
            ],
            info.Gpus
        );
    }

    [Fact]
    public void Without_nvidia_smi_the_kernel_still_tells_the_adapter_and_its_driver() =>
        Assert.Equal(
            new GpuInfo
            {
                Index = 0,
                VendorId = "0x10de",
                DeviceId = "0x2820",
                DriverVersion = "535.129.03",
                DriverDate = "2023-10-19",
            },
            Machine("linux-nvidia-laptop").Capture(null).Gpus[0]
        );

    [Fact]
    public void A_server_without_sysfs_entries_shows_what_nvidia_smi_prints()
    {
        MachineInfo info = Machine("linux-nvidia-h200").Capture(CapturedFiles.Text("linux-nvidia-h200", "nvidia-smi.csv"));

        // The module was not built by NVIDIA and bears no date of theirs.
        Assert.Equal(
            new GpuInfo
            {
                Name = "NVIDIA H200",
                VendorId = "0x10de",
                DeviceId = "0x2335",
                MemoryBytes = 143771L << 20,
                DriverVersion = "580.159.04",
            },
            Assert.Single(info.Gpus)
        );
        Assert.Equal("Intel(R) Xeon(R) Processor", info.CpuName);
        Assert.Null(info.PowerSource);
    }

    [Fact]
    public void A_machine_that_tells_nothing_is_all_null_and_no_error()
    {
        MachineInfo info = Machine("no-such-folder").Capture(null);

        Assert.Equal(new MachineInfo { Gpus = info.Gpus }, info);
        Assert.Empty(info.Gpus);
    }

    private static LinuxMachine Machine(string name) => new(CapturedFiles.Folder(name));
}
