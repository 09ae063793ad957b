using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>probe</c>: the machine, the native libraries, and where each engine can run.</summary>
internal static class ProbeCommand
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static Command Create()
    {
        Option<bool> json = OptionFactory.Flag("--json", "Prints JSON.");
        Option<string?> runtimeDir = RuntimeDirectory.Option();
        Option<string?> python = OptionFactory.Value(
            "--python",
            "Python of the external engines, or one each: transformers=PATH,ipex-llm=PATH.",
            OptionFactory.Pythons,
            "path"
        );
        Command command = new("probe", "Shows the machine, its adapters and drivers, the native libraries, and where each engine can run.")
        {
            json,
            runtimeDir,
            python,
        };
        command.SetAction(parsed =>
        {
            RuntimeDirectory.Use(parsed.GetValue(runtimeDir));
            Probe probe = Probe.Take(parsed.GetValue(python));
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(probe, s_json));
            }
            else
            {
                Show(probe);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static void Show(Probe probe)
    {
        MachineInfo machine = probe.Machine;
        Section(
            "machine",
            [("property", false), ("value", false)],
            [
                ["id", machine.MachineId ?? ""],
                ["cpu", machine.CpuName ?? ""],
                ["cores", $"{machine.PhysicalCores} physical, {machine.LogicalCores} logical"],
                ["memory", Bytes(machine.RamBytes)],
                ["system", machine.OsBuild ?? ""],
                ["power", machine.PowerSource ?? ""],
            ]
        );
        Section(
            "adapters",
            [
                ("index", true),
                ("name", false),
                ("vendor", false),
                ("device", false),
                ("memory", true),
                ("driver", false),
                ("date", false),
                ("LUID", false),
            ],
            [
                .. machine.Gpus.Select(gpu =>
                    (string[])
                        [
                            $"{gpu.Index}",
                            gpu.Name + (gpu.IsSoftware ? " (software)" : ""),
                            gpu.VendorId ?? "",
                            gpu.DeviceId ?? "",
                            Bytes(gpu.MemoryBytes),
                            gpu.DriverVersion ?? "",
                            gpu.DriverDate ?? "",
                            gpu.Luid ?? "",
                        ]
                ),
            ]
        );
        Section(
            "libraries",
            [("library", false), ("version", false), ("loaded from", false)],
            [.. probe.Libraries.Select(library => (string[])[library.Name, library.Version ?? "", library.Path])]
        );
        Section(
            "engines",
            [("engine", false), .. Enum.GetNames<ExecutionProvider>().Select(name => (name.ToLowerInvariant(), false))],
            [
                .. probe
                    .Engines.GroupBy(row => row.Engine)
                    .Select(rows => (string[])[rows.Key, .. Enum.GetValues<ExecutionProvider>().Select(provider => Cell(rows, provider))]),
            ]
        );
        foreach (string reason in probe.Engines.Select(row => row.Reason).OfType<string>().Distinct())
        {
            Console.WriteLine($"- {reason}");
        }

        Console.WriteLine($"A run would take {probe.Choice}.");
    }

    // Empty where the engine can run on no machine.
    private static string Cell(IEnumerable<EngineRow> rows, ExecutionProvider provider) =>
        rows.FirstOrDefault(row => row.Provider == provider) is { } row
            ? row.IsAvailable
                ? "yes"
                : "no"
            : "";

    private static void Section(string title, (string Header, bool IsNumber)[] columns, string[][] rows)
    {
        Console.WriteLine(rows.Length == 0 ? $"{title}: none found" : title);
        if (rows.Length > 0)
        {
            ResultDisplay.ShowTable(new TextTable([.. columns.Select(column => new TextColumn(column.Header, column.IsNumber))], rows));
        }
    }

    private static string Bytes(long? bytes) =>
        bytes is { } known ? FormattableString.Invariant($"{known / (double)(1 << 30):0.0} GiB") : "";

    private sealed record Probe(
        MachineInfo Machine,
        IReadOnlyList<LoadedLibrary> Libraries,
        IReadOnlyList<EngineRow> Engines,
        string NativeSet,
        string Choice
    )
    {
        public static Probe Take(string? python)
        {
            // Asking what can run loads the libraries, so it comes first.
            SuiteOptions options = new() { Python = python };
            EngineRow[] engines =
            [
                .. from family in EngineFamilies.All
                from engine in family.Names
                from provider in family.Places(engine)
                let availability = family.Availability(engine, provider, options)
                select new EngineRow(engine, provider, availability.IsAvailable, availability.Reason),
            ];
            PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
            EngineChoice choice = EngineFamilies.Choose(context)[0];
            return new Probe(
                context.Machine,
                NativeLibraries.Loaded(),
                engines,
                NativeLibraries.PackagedSet,
                $"{choice.Engine} on {choice.Provider!.Value.Name()}"
            );
        }
    }

    private sealed record EngineRow(string Engine, ExecutionProvider Provider, bool IsAvailable, string? Reason);
}
