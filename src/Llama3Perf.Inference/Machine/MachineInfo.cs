namespace Llama3Perf.Inference.Machine;

/// <summary>What a measurement was taken on. What the system does not tell is null; nothing is guessed.</summary>
public sealed record MachineInfo
{
    /// <summary>The same on every run on one machine, and says nothing else about it: a hash of the operating system's
    /// identifier.</summary>
    public string? MachineId { get; init; }

    /// <summary>The processor's name as the system writes it.</summary>
    public string? CpuName { get; init; }

    /// <summary>Physical cores that this process may use.</summary>
    public int? PhysicalCores { get; init; }

    /// <summary>Logical processors that this process may use.</summary>
    public int? LogicalCores { get; init; }

    /// <summary>Physical memory of the machine in bytes.</summary>
    public long? RamBytes { get; init; }

    /// <summary>Operating system with its build or kernel release.</summary>
    public string? OsBuild { get; init; }

    /// <summary><c>ac</c> or <c>battery</c>, then <c>; plan NAME</c> where known. A machine that tells its plan only has <c>plan
    /// NAME</c>.</summary>
    public string? PowerSource { get; init; }

    /// <summary>The adapters, in the order of their indices.</summary>
    public IReadOnlyList<GpuInfo> Gpus { get; init; } = [];
}

/// <summary>One graphics adapter. What the system does not tell is null.</summary>
public sealed record GpuInfo
{
    /// <summary>Windows: the index that DXGI and so DirectML give it. Elsewhere NVIDIA's adapters come first in the order of their driver,
    /// then the others in the order of the system.</summary>
    public int Index { get; init; }

    /// <summary>The adapter's name as its driver or the PCI list writes it.</summary>
    public string? Name { get; init; }

    /// <summary>PCI vendor, such as <c>0x10de</c>.</summary>
    public string? VendorId { get; init; }

    /// <summary>PCI device, such as <c>0x2335</c>.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Dedicated memory in bytes.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Place on the PCI bus as NVIDIA's tool writes it, such as <c>00000000:65:00.0</c>; null where nobody asks for it.</summary>
    public string? PciBusId { get; init; }

    /// <summary>Windows' locally unique identifier of the adapter, 16 hexadecimal digits after <c>0x</c>.</summary>
    public string? Luid { get; init; }

    /// <summary>The driver's version; for a driver that is part of the Linux kernel, the kernel's release.</summary>
    public string? DriverVersion { get; init; }

    /// <summary>The driver's date, yyyy-MM-dd.</summary>
    public string? DriverDate { get; init; }

    /// <summary>Whether a processor draws in place of an adapter, as Windows' Basic Render Driver does.</summary>
    public bool IsSoftware { get; init; }
}
