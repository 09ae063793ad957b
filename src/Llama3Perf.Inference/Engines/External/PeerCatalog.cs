using System.Collections.Concurrent;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>The table of peers: one row for each backend of the suite's Python program. Any other program is named by its path or
/// command.</summary>
public static class PeerCatalog
{
    /// <summary>What the name of every external engine begins with.</summary>
    public const string Prefix = "external:";

    private const string ProgramFile = "huggingface_peer.py";

    /// <summary>All rows.</summary>
    public static IReadOnlyList<PeerKind> All { get; } =
    [
        Python(
            "transformers",
            "Hugging Face transformers on PyTorch",
            ["torch", "transformers"],
            [
                new(ExecutionProvider.Cuda, [Precision.Fp16, Precision.Bf16, Precision.Fp32]),
                new(ExecutionProvider.Xpu, [Precision.Fp16, Precision.Bf16, Precision.Fp32]),
                new(ExecutionProvider.Mps, [Precision.Fp16, Precision.Bf16, Precision.Fp32]),
                new(ExecutionProvider.Cpu, [Precision.Fp32, Precision.Bf16, Precision.Fp16]),
            ],
            ["attn_implementation", "device_index", "static_cache", "compile", "compile_mode"]
        ),
        Python(
            "ipex-llm",
            "IPEX-LLM, Intel's low-bit transformers",
            ["torch", "transformers", "ipex_llm"],
            [
                new(ExecutionProvider.Xpu, [Precision.Int4, Precision.Int8, Precision.Fp16, Precision.Bf16]),
                new(ExecutionProvider.Cpu, [Precision.Int4, Precision.Int8, Precision.Bf16]),
            ],
            ["attn_implementation", "device_index", "load_in_low_bit", "optimize_model", "cpu_embedding"]
        ),
        Python(
            "torch-directml",
            "transformers on torch-directml",
            ["torch", "transformers", "torch_directml"],
            [new(ExecutionProvider.Dml, [Precision.Fp16, Precision.Fp32])],
            ["attn_implementation", "device_index", "tiled_resources"]
        ),
        Python(
            "openvino",
            "OpenVINO GenAI, from a GGUF file or an OpenVINO folder",
            ["numpy", "openvino", "openvino_genai"],
            [
                new(ExecutionProvider.Xpu, [Precision.Int4, Precision.Int8, Precision.Fp16, Precision.Fp32]),
                new(ExecutionProvider.Cpu, [Precision.Int4, Precision.Int8, Precision.Fp16, Precision.Fp32]),
                new(ExecutionProvider.Npu, [Precision.Int4, Precision.Int8, Precision.Fp16, Precision.Fp32]),
            ],
            ["device_index", "inference_precision", "attention_backend", "dynamic_quantization_group_size"]
        ) with
        {
            ReadsGguf = true,
        },
    ];

    // Importing torch takes seconds.
    private static readonly ConcurrentDictionary<(string Python, string Backend, ExecutionProvider Provider), Availability> s_probed =
        new();

    /// <summary>Names of all rows, in the same order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(kind => kind.Name)];

    /// <summary>Names of the rows that have a precision anywhere.</summary>
    public static IEnumerable<string> NamesWith(Precision precision) =>
        All.Where(kind => kind.Devices.Any(device => device.Precisions.Contains(precision))).Select(kind => kind.Name);

    /// <summary>True for names that belong to this table, known or not.</summary>
    public static bool Owns(string engine) => engine.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The peer of that name: a row, or the program whose path or command stands after the colon.</summary>
    /// <exception cref="EngineException">It is neither; the message lists the rows.</exception>
    public static PeerKind Get(string name) =>
        All.FirstOrDefault(kind => kind.Name == name)
        ?? (Owns(name) && PeerCommand.Parse(name[Prefix.Length..]) is { } command ? Direct(command) : null)
        ?? throw new EngineException(
            $"'{name}' is unknown; use {string.Join(", ", Names)}, or {Prefix} and the path or command of a program that speaks the peer "
                + "protocol"
        );

    /// <summary>The suite's Python program beside the running assemblies, or null.</summary>
    public static string? FindProgram() =>
        new[] { AppContext.BaseDirectory, Path.GetDirectoryName(typeof(PeerCatalog).Assembly.Location) }
            .Where(folder => !string.IsNullOrEmpty(folder))
            .Select(folder => Path.Combine(folder!, "peers", ProgramFile))
            .FirstOrDefault(File.Exists);

    /// <summary>Whether a peer can run on a provider here. The suite's own program is asked: it imports its packages and counts the
    /// devices, which takes seconds; the answer is kept. Of another program only whether it is there is known.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="provider">The place.</param>
    /// <param name="python">The Python to use, as <see cref="PythonProgram.Given"/> reads it; null looks for one.</param>
    public static Availability Availability(PeerKind peer, ExecutionProvider provider, string? python = null)
    {
        if (peer.PrecisionsOn(provider).Count == 0)
        {
            return Inference.Availability.No(
                $"{peer.Name} runs on {string.Join(", ", peer.Devices.Select(device => device.Provider.Name()))}, not on {provider.Name()}"
            );
        }

        if (provider == ExecutionProvider.Mps && !OperatingSystem.IsMacOS())
        {
            return Inference.Availability.No("mps is Apple's, on macOS only");
        }

        if (peer.Command is { } command && !IsPython(command[0]))
        {
            return PeerCommand.Find(command[0]) is null
                ? Inference.Availability.No($"no program '{command[0]}', neither as a file nor on the PATH")
                : Inference.Availability.Yes;
        }

        if (peer.Command is null && FindProgram() is null)
        {
            return Inference.Availability.No(NoProgram);
        }

        PythonSearch search = PythonProgram.For(peer.Backend, python);
        if (search.Python is not { } found)
        {
            return Inference.Availability.No($"{peer.Name}: {search.Reason}");
        }

        if (peer.Modules.Count == 0)
        {
            return Inference.Availability.Yes;
        }

        string[] missing = [.. peer.Modules.Except(found.ModulesOf(peer.Modules))];
        return missing.Length == 0
            ? s_probed.GetOrAdd((found.Path, peer.Backend, provider), _ => Probe(peer, provider, python))
            : Inference.Availability.No(
                $"{peer.Name}: {found.Path} (Python {found.Version}) has no module {string.Join(", ", missing)}; {peer.HowToGet}"
            );
    }

    /// <summary>How to start a peer and load with it.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="provider">Where the model runs.</param>
    /// <param name="precision">What the weights are loaded as.</param>
    /// <param name="maxLength">The longest sequence that will be asked for.</param>
    /// <param name="python">The Python to use, as <see cref="PythonProgram.Given"/> reads it; null looks for one.</param>
    /// <exception cref="EngineException">There is no Python, no program, or no such precision there.</exception>
    public static PeerOptions Options(PeerKind peer, ExecutionProvider provider, Precision precision, int maxLength, string? python = null)
    {
        if (!peer.PrecisionsOn(provider).Contains(precision))
        {
            throw new EngineException($"{peer.Name} has no {precision.Name()} on {provider.Name()}");
        }

        string[] command = [.. peer.Command ?? [FindProgram() ?? throw new EngineException(NoProgram)]];
        bool isPython = IsPython(command[0]);
        if (isPython)
        {
            PythonSearch search = PythonProgram.For(peer.Backend, python);
            PythonProgram found = search.Python ?? throw new EngineException($"{peer.Name}: {search.Reason}");
            command = [found.Path, .. found.Arguments, .. command];
        }

        return new PeerOptions(PeerCommand.Find(command[0]) ?? command[0], peer.Backend)
        {
            Arguments = command[1..],
            Environment = isPython ? PythonProgram.Environment : new Dictionary<string, string>(),
            Device = provider,
            Precision = precision,
            MaxLength = maxLength,
        };
    }

    private static Availability Probe(PeerKind peer, ExecutionProvider provider, string? python)
    {
        PeerOptions options = Options(peer, provider, peer.PrecisionsOn(provider)[0], maxLength: 2, python);
        try
        {
            using PeerProcess process = new(options);
            process.Call(
                "probe",
                new ProbeParams(peer.Backend, provider.Name()),
                PeerJson.Default.PeerRequestProbeParams,
                PeerJson.Default.ProbeResult,
                options.Limits.Probe
            );
            return Inference.Availability.Yes;
        }
        catch (EngineException exception)
        {
            return Inference.Availability.No(exception.Message);
        }
    }

    private static string NoProgram =>
        $"{ProgramFile} is not in {Path.Combine(AppContext.BaseDirectory, "peers")}; build or publish the suite again";

    private static PeerKind Python(string backend, string summary, string[] modules, PeerDevice[] devices, string[] options)
    {
        string requirements = $"requirements-{backend}.txt";
        return new PeerKind(
            Prefix + backend,
            summary,
            backend,
            devices,
            $"python -m pip install -r peers/{requirements}, and --python {backend}=PATH with that Python"
        )
        {
            Options = options,
            Modules = modules,
            RequirementsFile = requirements,
        };
    }

    // What such a program can do is its own knowledge: it answers a load that it cannot do with an error.
    private static PeerKind Direct(IReadOnlyList<string> command)
    {
        string backend = Path.GetFileNameWithoutExtension(command.LastOrDefault(IsPython) ?? command[0]);
        PeerDevice[] everywhere =
        [
            .. Enum.GetValues<ExecutionProvider>().Select(provider => new PeerDevice(provider, Enum.GetValues<Precision>())),
        ];
        return new PeerKind(
            Prefix + backend,
            $"the program {string.Join(' ', command)}",
            backend,
            everywhere,
            "it speaks the peer protocol on its standard input and output"
        )
        {
            Command = command,
        };
    }

    private static bool IsPython(string program) => Path.GetExtension(program).Equals(".py", StringComparison.OrdinalIgnoreCase);
}
