namespace Llama3Perf.Results.Rows;

/// <summary>The machine and the libraries of a run. What cannot be known is null, never a guess.</summary>
public sealed record RunEnvironment
{
    /// <summary>Stable, anonymous id of the machine.</summary>
    public string? MachineId { get; init; }

    /// <summary>Processor's brand string.</summary>
    public string? CpuName { get; init; }

    /// <summary>Installed memory in bytes.</summary>
    public long? RamBytes { get; init; }

    /// <summary>Memory bandwidth that a short test read before the first case, with as many threads as processor cores,
    /// GB/s (1e9 bytes).</summary>
    public double? MemoryGigabytesPerSecond { get; init; }

    /// <summary>Operating system with its build number.</summary>
    public string? OsBuild { get; init; }

    /// <summary>Adapter's name.</summary>
    public string? GpuName { get; init; }

    /// <summary>PCI vendor id, <c>0x10de</c>.</summary>
    public string? GpuVendorId { get; init; }

    /// <summary>PCI device id, <c>0x2335</c>.</summary>
    public string? GpuDeviceId { get; init; }

    /// <summary>Driver version, as its vendor writes it.</summary>
    public string? GpuDriverVersion { get; init; }

    /// <summary>Driver date, <c>yyyy-MM-dd</c>.</summary>
    public string? GpuDriverDate { get; init; }

    /// <summary>ONNX Runtime's version, asked of the loaded library.</summary>
    public string? OrtVersion { get; init; }

    /// <summary>File that ONNX Runtime was loaded from.</summary>
    public string? OrtPath { get; init; }

    /// <summary>SHA-256 of that file, lower-case hexadecimal: tells apart what bears one version.</summary>
    public string? OrtSha256 { get; init; }

    /// <summary>ONNX Runtime GenAI's version; the beginning of its file's SHA-256 where it does not tell one.</summary>
    public string? GenAiVersion { get; init; }

    /// <summary>File that ONNX Runtime GenAI was loaded from.</summary>
    public string? GenAiPath { get; init; }

    /// <summary>SHA-256 of that file, lower-case hexadecimal: tells apart what bears one version.</summary>
    public string? GenAiSha256 { get; init; }

    /// <summary>DirectML's version.</summary>
    public string? DirectMlVersion { get; init; }

    /// <summary>File that DirectML was loaded from.</summary>
    public string? DirectMlPath { get; init; }

    /// <summary>SHA-256 of that file, lower-case hexadecimal: tells apart what bears one version.</summary>
    public string? DirectMlSha256 { get; init; }

    /// <summary>.NET runtime's version.</summary>
    public string? DotnetVersion { get; init; }

    /// <summary>BenchmarkDotNet's version.</summary>
    public string? BdnVersion { get; init; }

    /// <summary><c>ac</c> or <c>battery</c>, with the power plan where it is known.</summary>
    public string? PowerSource { get; init; }
}
