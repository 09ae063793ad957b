using System.Runtime.InteropServices;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Conditions;

/// <summary>One adapter through NVIDIA's management library, which comes with the driver. Function names and structures are those of
/// nvml.h.</summary>
internal sealed unsafe class Nvml : IDisposable
{
    private const int Success = 0;
    private const uint SmClock = 1;
    private const uint DieTemperature = 0;

    private readonly nint _library;
    private readonly nint _device;
    private ulong _lastSampleTime;

    private Nvml(nint library, nint device) => (_library, _device) = (library, device);

    /// <summary>The adapter, or null where the library, its driver or the adapter is missing.</summary>
    public static Nvml? Open(int index)
    {
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvml.dll" : "libnvidia-ml.so.1", out nint library))
        {
            return null;
        }

        nint device;
        if (((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "nvmlInit_v2"))() == Success)
        {
            if (
                ((delegate* unmanaged<uint, nint*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetHandleByIndex_v2"))(
                    (uint)index,
                    &device
                ) == Success
            )
            {
                return new Nvml(library, device);
            }

            Shutdown(library);
        }
        NativeLibrary.Free(library);
        return null;
    }

    /// <summary>The adapter now. Each figure may be refused by its own.</summary>
    public GpuConditions Read() =>
        new()
        {
            ClockPercent = Clock("nvmlDeviceGetClockInfo") / (Clock("nvmlDeviceGetMaxClockInfo") is > 0 and var most ? most : null) * 100,
            ThrottleReasons = MachineProbe.Ask(Reasons),
            Celsius = Number("nvmlDeviceGetTemperature", DieTemperature),
            Watts = Milliwatts() / 1000,
            ForeignPercent = MachineProbe.Ask(ForeignPercent),
        };

    public void Dispose()
    {
        Shutdown(_library);
        NativeLibrary.Free(_library);
    }

    /// <summary>NVML's bits as its names without the prefix; idleness holds no measurement back.</summary>
    internal static string Names(ulong reasons)
    {
        (ulong Bit, string Name)[] known =
        [
            (0x2, "applications-clocks"),
            (0x4, "power-cap"),
            (0x8, "hw-slowdown"),
            (0x10, "sync-boost"),
            (0x20, "thermal"),
            (0x40, "hw-thermal"),
            (0x80, "hw-power-brake"),
            (0x100, "display-clocks"),
        ];
        return string.Join('+', known.Where(reason => (reasons & reason.Bit) != 0).Select(reason => reason.Name));
    }

    /// <summary>
    /// Utilisation by others, averaged over the samples of each process. Null where this process is not among them: in a container the
    /// driver knows it by another number, and its own use would count as foreign.
    /// </summary>
    internal static double? Foreign(IReadOnlyList<(uint ProcessId, uint SmPercent)> samples, int ownId) =>
        samples.Any(sample => sample.ProcessId == ownId)
            ? samples
                .Where(sample => sample.ProcessId != ownId)
                .GroupBy(sample => sample.ProcessId)
                .Sum(process => process.Average(sample => sample.SmPercent))
            : null;

    private double? Clock(string function) => Number(function, SmClock);

    private double? Number(string function, uint what) =>
        MachineProbe.Ask(() =>
        {
            uint value;
            return
                ((delegate* unmanaged<nint, uint, uint*, int>)NativeLibrary.GetExport(_library, function))(_device, what, &value) == Success
                ? (double?)value
                : null;
        });

    private double? Milliwatts() =>
        MachineProbe.Ask(() =>
        {
            uint value;
            return
                ((delegate* unmanaged<nint, uint*, int>)NativeLibrary.GetExport(_library, "nvmlDeviceGetPowerUsage"))(_device, &value)
                == Success
                ? (double?)value
                : null;
        });

    private string? Reasons()
    {
        ulong reasons;
        return
            ((delegate* unmanaged<nint, ulong*, int>)NativeLibrary.GetExport(_library, "nvmlDeviceGetCurrentClocksThrottleReasons"))(
                _device,
                &reasons
            ) == Success
            ? Names(reasons)
            : null;
    }

    private double? ForeignPercent()
    {
        uint count = 256;
        Sample[] buffer = new Sample[count];
        fixed (Sample* samples = buffer)
        {
            int status = (
                (delegate* unmanaged<nint, Sample*, uint*, ulong, int>)NativeLibrary.GetExport(_library, "nvmlDeviceGetProcessUtilization")
            )(_device, samples, &count, _lastSampleTime);
            if (status != Success)
            {
                return null;
            }
        }
        Sample[] taken = buffer[..(int)Math.Min(count, buffer.Length)];
        _lastSampleTime = taken.Select(sample => sample.TimeStamp).Append(_lastSampleTime).Max();
        return Foreign(
            [.. taken.Where(sample => sample.TimeStamp > 0).Select(sample => (sample.ProcessId, sample.SmUtilisation))],
            Environment.ProcessId
        );
    }

    private static void Shutdown(nint library) => ((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "nvmlShutdown"))();

    // nvmlProcessUtilizationSample_t
    [StructLayout(LayoutKind.Sequential)]
    private struct Sample
    {
        public uint ProcessId;
        public ulong TimeStamp;
        public uint SmUtilisation;
        public uint MemoryUtilisation;
        public uint EncoderUtilisation;
        public uint DecoderUtilisation;
    }
}
