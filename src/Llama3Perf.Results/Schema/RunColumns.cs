using System.Text;
using Llama3Perf.Results.Rows;
using static Llama3Perf.Results.Schema.Column;

namespace Llama3Perf.Results.Schema;

/// <summary>Columns that say which run a row is of, and where it ran.</summary>
internal static class RunColumns
{
    /// <summary>Columns of <see cref="RunIdentity"/>.</summary>
    public static IReadOnlyList<Column<RunIdentity>> Identity { get; } =
    [
        Info("run_id", (RunIdentity run) => run.RunId, Cells.Text),
        Info("test_time", (RunIdentity run) => run.TestTime, Cells.Time),
        Key("build_commit", (RunIdentity run) => run.BuildCommit, Cells.OptionalText),
        Info("run_label", (RunIdentity run) => run.Label, Cells.OptionalText, since: 4),
    ];

    /// <summary>Columns of <see cref="RunEnvironment"/>. Its keys are what two runs are compared over, so they stand in samples.csv
    /// too.</summary>
    public static IReadOnlyList<Column<RunEnvironment>> Environment { get; } =
    [
        Key("machine_id", (RunEnvironment e) => e.MachineId, Cells.OptionalText),
        Info("cpu_name", (RunEnvironment e) => e.CpuName, Cells.OptionalText),
        Info("ram_bytes", (RunEnvironment e) => e.RamBytes, Cells.Bytes),
        Info("memory_gbps", (RunEnvironment e) => e.MemoryGigabytesPerSecond, Cells.GigabytesPerSecond, since: 4),
        Key("os_build", (RunEnvironment e) => e.OsBuild, Cells.OptionalText),
        Key("gpu_name", (RunEnvironment e) => e.GpuName, Cells.OptionalText),
        Info("gpu_vendor_id", (RunEnvironment e) => e.GpuVendorId, Cells.OptionalText),
        Info("gpu_device_id", (RunEnvironment e) => e.GpuDeviceId, Cells.OptionalText),
        Key("gpu_driver_version", (RunEnvironment e) => e.GpuDriverVersion, Cells.OptionalText),
        Info("gpu_driver_date", (RunEnvironment e) => e.GpuDriverDate, Cells.OptionalText),
        Key("ort_version", (RunEnvironment e) => e.OrtVersion, Cells.OptionalText),
        Info("ort_path", (RunEnvironment e) => e.OrtPath, Cells.OptionalText),
        Info("ort_sha256", (RunEnvironment e) => e.OrtSha256, Cells.OptionalText, since: 4),
        Key("genai_version", (RunEnvironment e) => e.GenAiVersion, Cells.OptionalText),
        Info("genai_path", (RunEnvironment e) => e.GenAiPath, Cells.OptionalText),
        Info("genai_sha256", (RunEnvironment e) => e.GenAiSha256, Cells.OptionalText, since: 4),
        Key("directml_version", (RunEnvironment e) => e.DirectMlVersion, Cells.OptionalText),
        Info("directml_path", (RunEnvironment e) => e.DirectMlPath, Cells.OptionalText),
        Info("directml_sha256", (RunEnvironment e) => e.DirectMlSha256, Cells.OptionalText, since: 4),
        Key("dotnet_version", (RunEnvironment e) => e.DotnetVersion, Cells.OptionalText),
        Info("bdn_version", (RunEnvironment e) => e.BdnVersion, Cells.OptionalText),
        Key("power_source", (RunEnvironment e) => e.PowerSource, Cells.OptionalText),
    ];

    /// <summary>An environment with the keys of one, as samples.csv has them, and everything else of another.</summary>
    public static RunEnvironment WithKeysOf(RunEnvironment keys, RunEnvironment others)
    {
        RunEnvironment merged = others with { };
        StringPool strings = new();
        foreach (Column<RunEnvironment> column in Environment.Where(column => column.Role == ColumnRole.Key))
        {
            column.TryRead(merged, Encoding.UTF8.GetBytes(column.Text(keys)), strings);
        }

        return merged;
    }

    /// <summary>An identity whose columns are still to be set.</summary>
    public static RunIdentity BlankIdentity() => new("", default, null);
}
