using System.Reflection;
using BenchmarkDotNet.Configs;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>Writes the machine and the libraries that were really loaded into the form that results keep.</summary>
internal static class EnvironmentCapture
{
    /// <param name="machine">The machine, probed.</param>
    /// <param name="device">The adapter that was asked for; null takes DirectML's own choice on Windows, elsewhere the first.</param>
    /// <param name="libraries">The native libraries of the measuring process.</param>
    /// <param name="memoryGigabytesPerSecond">What the read test found; null where it was not made.</param>
    public static RunEnvironment Capture(
        MachineInfo machine,
        GpuInfo? device,
        IReadOnlyList<LoadedLibrary> libraries,
        double? memoryGigabytesPerSecond = null
    )
    {
        GpuInfo? gpu = device ?? DirectMLAdapter.Default ?? (machine.Gpus is [var first, ..] ? first : null);
        LoadedLibrary? ort = Find("onnxruntime");
        LoadedLibrary? genai = Find("onnxruntime-genai");
        LoadedLibrary? directMl = Find("DirectML");
        return new RunEnvironment
        {
            MachineId = machine.MachineId,
            CpuName = machine.CpuName,
            RamBytes = machine.RamBytes,
            MemoryGigabytesPerSecond = memoryGigabytesPerSecond,
            OsBuild = machine.OsBuild,
            GpuName = gpu?.Name,
            GpuVendorId = gpu?.VendorId,
            GpuDeviceId = gpu?.DeviceId,
            GpuDriverVersion = gpu?.DriverVersion,
            GpuDriverDate = gpu?.DriverDate,
            OrtVersion = ort?.Version,
            OrtPath = ort?.Path,
            OrtSha256 = ort?.Sha256,
            GenAiVersion = genai?.Version ?? (genai?.Sha256 is { } hash ? $"sha256:{hash[..16]}" : null),
            GenAiPath = genai?.Path,
            GenAiSha256 = genai?.Sha256,
            DirectMlVersion = directMl?.Version,
            DirectMlPath = directMl?.Path,
            DirectMlSha256 = directMl?.Sha256,
            DotnetVersion = Environment.Version.ToString(),
            BdnVersion = BdnVersion,
            PowerSource = machine.PowerSource,
        };

        LoadedLibrary? Find(string name) => libraries.FirstOrDefault(library => library.Name == name);
    }

    private static string? BdnVersion => InformationalVersion(typeof(IConfig).Assembly)?.Split('+')[0];

    private static string? InformationalVersion(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    /// <summary>The commit that this program was built from, as the SDK wrote it into the assembly; null outside a clone.</summary>
    public static string? BuildCommit =>
        InformationalVersion(typeof(EnvironmentCapture).Assembly)?.Split('+') is [_, var commit] ? commit : null;
}
