using System.Runtime.InteropServices;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Inference.Tests.Native;

/// <summary>What native libraries read from the environment, which on Unix is not what .NET shows of it.</summary>
public sealed partial class NativeEnvironmentTests
{
    [Fact]
    public void CUDA_counts_adapters_as_nvidia_smi_does_unless_the_user_said_otherwise()
    {
        string? order = Environment.GetEnvironmentVariable(NativeLibraries.CudaOrderVariable);

        Assert.NotNull(order);
        Assert.Equal(order, Native(NativeLibraries.CudaOrderVariable));
        Assert.SkipWhen(order != "PCI_BUS_ID", $"this shell has {NativeLibraries.CudaOrderVariable}={order}");
    }

    [Fact]
    public void A_variable_is_set_for_native_code_and_for_children_unless_it_is_there()
    {
        string name = $"LLAMA3PERF_TEST_{Environment.ProcessId}";

        NativeEnvironment.SetUnlessSet(name, "ours");
        Assert.Equal(("ours", "ours"), (Environment.GetEnvironmentVariable(name), Native(name)));

        NativeEnvironment.Set(name, "the user's");
        NativeEnvironment.SetUnlessSet(name, "ours");
        Assert.Equal(("the user's", "the user's"), (Environment.GetEnvironmentVariable(name), Native(name)));

        NativeEnvironment.Set(name, null);
        Assert.Equal((null, null), (Environment.GetEnvironmentVariable(name), Native(name)));
    }

    private static string? Native(string name) =>
        OperatingSystem.IsWindows() ? Environment.GetEnvironmentVariable(name) : Marshal.PtrToStringUTF8(Variable(name));

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Variable(string name);
}
