using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
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

    // A library's provider has lines of its own.
    private static readonly ExecutionProvider[] s_places =
    [
        .. Enum.GetValues<ExecutionProvider>().Where(provider => provider != ExecutionProvider.Plugin),
    ];

    public static Command Create()
    {
        Option<bool> json = OptionFactory.Flag("--json", "Prints JSON.");
        NativeSettings native = new();
        Option<string?> python = OptionFactory.Value(
            "--python",
            "Python of the external engines, or one each: transformers=PATH,ipex-llm=PATH.",
            OptionFactory.Pythons,
            "path"
        );
        Command command = new("probe", "Shows the machine, its adapters and drivers, the native libraries, and where each engine can run.")
        {
            json,
            python,
        };
        native.AddTo(command);
        command.SetAction(parsed =>
        {
            native.Use(parsed);
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
            [("library", false), ("version", false), ("SHA-256", false), ("loaded from", false)],
            [
                .. probe.Libraries.Select(library =>
                    (string[])[library.Name, library.Version ?? "", library.Sha256 is { } hash ? hash[..12] : "", library.Path]
                ),
            ]
        );
        foreach (LoadedLibrary library in probe.Libraries.Where(library => library.Note is not null))
        {
            Console.WriteLine($"- {library.Path}: {library.Note}");
        }

        ShowDevices(probe);
        Section(
            "engines",
            [("engine", false), .. s_places.Select(provider => (provider.Name(), false))],
            [
                .. probe
                    .Engines.GroupBy(row => row.Engine)
                    .Select(rows => (string[])[rows.Key, .. s_places.Select(provider => Cell(rows, provider))]),
            ]
        );
        foreach (string reason in probe.Engines.Select(row => row.Reason).OfType<string>().Distinct())
        {
            Console.WriteLine($"- {reason}");
        }

        Console.WriteLine(
            $"Native set of this build: {probe.NativeSet}. "
                + (
                    probe.Choice is { } choice
                        ? $"A run would take {choice}."
                        : $"A run would measure nothing, for no engine of this process can run here: {probe.WhyNothing}."
                )
        );
    }

    // What ONNX Runtime offers to which of its providers, with what both say of themselves.
    private static void ShowDevices(Probe probe)
    {
        Section(
            "ONNX Runtime's devices",
            [("provider", false), ("by", false), ("type", false), ("vendor", false), ("ids", false), ("says", false)],
            [
                .. probe.Devices.Select(device =>
                    (string[])
                        [
                            device.Provider,
                            device.ProviderVendor,
                            device.Type,
                            device.Vendor,
                            $"{device.VendorId}:{device.DeviceId}",
                            string.Join(", ", device.Metadata.Concat(device.Options).Select(pair => $"{pair.Key}={pair.Value}")),
                        ]
                ),
            ]
        );
        if (ProviderLibrary.Current is { } library)
        {
            Console.WriteLine($"{library.Name}: {probe.LibraryProblem ?? "usable, with --provider " + library.Name}");
        }
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
            Screen.Table(new TextTable([.. columns.Select(column => new TextColumn(column.Header, column.IsNumber))], rows));
        }
    }

    private static string Bytes(long? bytes) =>
        bytes is { } known ? FormattableString.Invariant($"{known / (double)(1 << 30):0.0} GiB") : "";

    private sealed record Probe(
        MachineInfo Machine,
        IReadOnlyList<LoadedLibrary> Libraries,
        IReadOnlyList<EngineRow> Engines,
        IReadOnlyList<OfferedDevice> Devices,
        string? LibraryProblem,
        string NativeSet,
        string? Choice,
        string? WhyNothing
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
            // Where no engine is there, the first one stands for what is missing.
            EngineRow[] chosen =
            [
                .. EngineFamilies
                    .Choose(context)
                    .Select(choice => engines.First(row => (row.Engine, row.Provider) == (choice.Engine, choice.Provider))),
            ];
            EngineRow? missing = chosen.FirstOrDefault(row => !row.IsAvailable);
            return new Probe(
                context.Machine,
                NativeLibraries.Loaded(),
                engines,
                DevicesOf(),
                ProviderLibrary.Current is null ? null : EngineCatalog.Get("ort").Availability(ExecutionProvider.Plugin).Reason,
                NativeLibraries.PackagedSet,
                missing is null ? string.Join(" and ", chosen.Select(row => $"{row.Engine} on {row.Provider.ShownName()}")) : null,
                missing?.Reason
            );
        }
    }

    // Without ONNX Runtime there are none, and the engines say why.
    private static IReadOnlyList<OfferedDevice> DevicesOf()
    {
        try
        {
            return PluginProvider.AllDevices();
        }
        catch (EngineException)
        {
            return [];
        }
    }

    private sealed record EngineRow(string Engine, ExecutionProvider Provider, bool IsAvailable, string? Reason);
}
