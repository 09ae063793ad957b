using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Machine;

/// <summary>Whether WebGPU finds a device on Linux, where it stands on Vulkan: a provider that is compiled in has none by that.</summary>
internal static unsafe class VulkanDevices
{
    private const string Loader = "libvulkan.so.1";

    /// <summary>Why there is none; null when there is one, and where WebGPU stands on something else.</summary>
    public static string? Problem()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        if (!NativeLibrary.TryLoad(Loader, out nint library))
        {
            return $"no Vulkan loader ({Loader})";
        }

        return Count(library) switch
        {
            null => $"a Vulkan loader ({Loader}) that makes no instance",
            0 => "a Vulkan loader that lists no device",
            _ => null,
        };
    }

    // Devices of any kind, software among them; null when there is no Vulkan.
    private static uint? Count(nint library)
    {
        InstanceCreateInfo info = new() { Type = 1 };
        nint instance;
        if (((delegate* unmanaged<InstanceCreateInfo*, nint, nint*, int>)Entry("vkCreateInstance"))(&info, 0, &instance) != 0)
        {
            return null;
        }

        uint count = 0;
        int result = ((delegate* unmanaged<nint, uint*, nint, int>)Entry("vkEnumeratePhysicalDevices"))(instance, &count, 0);
        ((delegate* unmanaged<nint, nint, void>)Entry("vkDestroyInstance"))(instance, 0);
        return result == 0 ? count : 0;

        nint Entry(string name) => NativeLibrary.GetExport(library, name);
    }

    /// <summary>VkInstanceCreateInfo, with nothing asked for.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct InstanceCreateInfo
    {
        public int Type;
        public nint Next;
        public uint Flags;
        public nint Application;
        public uint LayerCount;
        public nint Layers;
        public uint ExtensionCount;
        public nint Extensions;
    }
}
