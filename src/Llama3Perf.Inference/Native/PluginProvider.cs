using System.Security.Cryptography;
using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Native;

/// <summary>A device that ONNX Runtime offers to one of its execution providers.</summary>
/// <param name="Provider">The provider's own name.</param>
/// <param name="ProviderVendor">Who made the provider.</param>
/// <param name="Type"><c>CPU</c>, <c>GPU</c> or <c>NPU</c>.</param>
/// <param name="Vendor">Who made the device.</param>
/// <param name="VendorId">PCI vendor id, <c>0x10de</c>.</param>
/// <param name="DeviceId">PCI device id.</param>
/// <param name="Metadata">What provider and device say besides: versions, library, drivers.</param>
/// <param name="Options">Options that the provider proposes for the device.</param>
public sealed record OfferedDevice(
    string Provider,
    string ProviderVendor,
    string Type,
    string Vendor,
    string VendorId,
    string DeviceId,
    IReadOnlyDictionary<string, string> Metadata,
    IReadOnlyDictionary<string, string> Options
);

/// <summary>Registers the process's provider library with ONNX Runtime and knows which devices that brought.</summary>
public static class PluginProvider
{
    private static readonly Lazy<(IReadOnlyList<OrtEpDevice> Devices, string? Problem)> s_registered = new(Register);

    /// <summary>All devices that ONNX Runtime offers, those of the registered library among them.</summary>
    /// <exception cref="EngineException">There is no ONNX Runtime.</exception>
    public static IReadOnlyList<OfferedDevice> AllDevices()
    {
        OrtEnv environment = NativeLibraries.OnnxRuntimeEnvironment();
        _ = s_registered.Value;
        return [.. environment.GetEpDevices().Select(Describe)];
    }

    /// <summary>Name, version and file of the registered library, for a case's identity; null when there is none.</summary>
    public static string? Identity =>
        ProviderLibrary.Current is not { } library ? null : $"{library.Name} {Version() ?? "unknown version"} sha256:{Hash(library.Path)}";

    /// <summary>Why the library's provider cannot be used; null when it can.</summary>
    internal static string? Problem()
    {
        if (ProviderLibrary.Current is not { } library)
        {
            return "no provider library is named: --provider-library NAME=PATH";
        }

        (IReadOnlyList<OrtEpDevice> devices, string? problem) = s_registered.Value;
        return problem
            ?? (
                devices.Count > 0
                    ? null
                    : $"{library.Name} ({library.Path}) is registered and has no device here: ONNX Runtime lists "
                        + string.Join(", ", NativeLibraries.OnnxRuntimeEnvironment().GetHardwareDevices().Select(Name).Distinct())
            );
    }

    /// <summary>The devices that the library brought.</summary>
    internal static IReadOnlyList<OrtEpDevice> Devices => s_registered.Value.Devices;

    private static (IReadOnlyList<OrtEpDevice> Devices, string? Problem) Register()
    {
        if (ProviderLibrary.Current is not { } library)
        {
            return ([], null);
        }

        OrtEnv environment = NativeLibraries.OnnxRuntimeEnvironment();
        HashSet<string> before = [.. environment.GetEpDevices().Select(device => device.EpName)];
        try
        {
            environment.RegisterExecutionProviderLibrary(library.Name, library.Path);
            return ([.. environment.GetEpDevices().Where(device => !before.Contains(device.EpName))], null);
        }
        catch (OnnxRuntimeException exception)
        {
            return (
                [],
                $"ONNX Runtime {NativeLibraries.OnnxRuntimeVersion} does not register {library.Path}: {exception.Message.OneLine()}"
            );
        }
    }

    private static string? Version() =>
        Devices.Select(device => device.EpMetadata.Entries.GetValueOrDefault("version")).FirstOrDefault(version => version is not null);

    private static string Hash(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file))[..16];
    }

    private static string Name(OrtHardwareDevice device) => $"{device.Type} {device.Vendor} {Id(device.VendorId)}:{Id(device.DeviceId)}";

    private static string Id(uint id) => $"0x{id:x4}";

    private static OfferedDevice Describe(OrtEpDevice device)
    {
        OrtHardwareDevice hardware = device.HardwareDevice;
        return new OfferedDevice(
            device.EpName,
            device.EpVendor,
            hardware.Type.ToString(),
            hardware.Vendor,
            Id(hardware.VendorId),
            Id(hardware.DeviceId),
            device.EpMetadata.Entries.Concat(hardware.Metadata.Entries).DistinctBy(pair => pair.Key).ToDictionary(),
            device.EpOptions.Entries.ToDictionary()
        );
    }
}
