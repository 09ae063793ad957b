using System.Diagnostics;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

/// <summary>On the machine that runs the tests, whichever it is.</summary>
public sealed class MachineProbeTests
{
    [Fact]
    public void A_capture_tells_this_machine_and_the_same_each_time()
    {
        MachineInfo first = MachineProbe.Capture();
        MachineInfo second = MachineProbe.Capture();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{first}\n{string.Join('\n', first.Gpus)}\n{MachineProbe.AvailableMemoryBytes()} bytes left"
        );

        Assert.Equal(first with { Gpus = [] }, second with { Gpus = [] });
        Assert.Equal(first.Gpus, second.Gpus);
        Assert.Equal(Environment.ProcessorCount, first.LogicalCores);
        Assert.InRange(first.PhysicalCores!.Value, 1, first.LogicalCores!.Value);
        Assert.NotNull(first.OsBuild);
        Assert.True(first.RamBytes > 1 << 28);
        Assert.Equal(first.Gpus.Count, first.Gpus.Select(gpu => gpu.Index).Distinct().Count());
    }

    [Fact]
    public void The_systems_identifier_does_not_show()
    {
        Assert.Matches("^[0-9a-f]{16}$", MachineProbe.Anonymous("0123456789abcdef0123456789abcdef\n"));
        Assert.Equal(MachineProbe.Anonymous("id"), MachineProbe.Anonymous("id\n"));
        Assert.NotEqual(MachineProbe.Anonymous("id"), MachineProbe.Anonymous("other"));
        Assert.Null(MachineProbe.Anonymous(" \n"));
    }

    [Fact]
    public void Free_memory_is_some_and_no_more_than_there_is() =>
        Assert.InRange(MachineProbe.AvailableMemoryBytes()!.Value, 1, MachineProbe.Capture().RamBytes!.Value);

    [Fact]
    public void The_peak_of_resident_memory_follows_what_is_touched()
    {
        long before = ProcessMemory.PeakResidentBytes()!.Value;
        using Process self = Process.GetCurrentProcess();
        // Far beyond what tests beside this one may give back meanwhile.
        byte[] block = GC.AllocateUninitializedArray<byte>(checked((int)(before - self.WorkingSet64) + (256 << 20)));
        block.AsSpan().Fill(1);
        long after = ProcessMemory.PeakResidentBytes()!.Value;
        GC.KeepAlive(block);

        Assert.True(after - before > 32 << 20, $"{before} bytes, then {after}");
    }

    [Fact]
    public void The_peak_begins_anew_where_the_system_lets_it()
    {
        const int Size = 512 << 20;
        long high;
        unsafe
        {
            // The garbage collector would give memory back when it pleases.
            void* block = System.Runtime.InteropServices.NativeMemory.Alloc(Size);
            new Span<byte>(block, Size).Fill(1);
            high = ProcessMemory.PeakResidentBytes()!.Value;
            System.Runtime.InteropServices.NativeMemory.Free(block);
        }

        Assert.SkipUnless(ProcessMemory.ResetPeak(), "this system cannot reset a process's peak");

        Assert.True(ProcessMemory.PeakResidentBytes() < high - (128 << 20), $"{high} bytes, then {ProcessMemory.PeakResidentBytes()}");
    }

    [Fact]
    public void A_process_that_never_used_an_adapter_holds_nothing_there() => Assert.True(GpuMemory.CurrentBytesOfProcess() is null or 0);
}
