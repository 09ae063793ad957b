using System.Globalization;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Models;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>llama.cpp, measured by its own llama-bench: prompts as long as those of the other engines, of tokens that it draws
/// itself.</summary>
internal sealed class LlamaBenchFamily : EngineFamily
{
    private const string HowToGet = "build llama.cpp and put it there, or name it with --llama-bench";

    /// <summary>Where it was not said, and the program does not tell either.</summary>
    public const string ItsOwnChoice = "auto";

    // As the suite names a place, and as llama.cpp names its backend for it.
    private static readonly (ExecutionProvider Provider, string Backend)[] s_backends =
    [
        (ExecutionProvider.Cuda, "cuda"),
        (ExecutionProvider.Xpu, "sycl"),
        (ExecutionProvider.Mps, "metal"),
        (ExecutionProvider.WebGpu, "webgpu"),
        (ExecutionProvider.Cpu, "cpu"),
    ];

    public override IReadOnlyList<string> Names => ["llama.cpp"];

    public override bool IsImplied(SuiteOptions options) => options.LlamaBench is not null;

    public override IReadOnlyList<ExecutionProvider> Places(string engine) => [.. s_backends.Select(place => place.Provider)];

    public override Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options)
    {
        if (LlamaBenchProgram.Find(options.LlamaBench) is not { } program)
        {
            return Inference.Availability.No(
                options.LlamaBench is { } given ? $"{given} is no program" : $"no llama-bench on the PATH; {HowToGet}"
            );
        }

        if (BackendOf(provider) is not { } backend)
        {
            return Inference.Availability.No($"llama.cpp has no backend for {provider.Name()}");
        }

        // An older program does not tell; what it runs on stands in its report.
        return provider == ExecutionProvider.Cpu || LlamaBenchProgram.Backends(program) is not { } backends || backends.Contains(backend)
            ? Inference.Availability.Yes
            : Inference.Availability.No($"{program} shows no device of the backend {backend}");
    }

    public override ExecutionProvider? BestPlace(string engine, PlanContext context) => null;

    public override IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context)
    {
        SuiteOptions options = context.Options;
        string? gguf =
            options.Gguf
            ?? (Directory.Exists(model) ? Directory.EnumerateFiles(model, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() : null);
        string? skip = Availability(engine, provider ?? ExecutionProvider.Cpu, options).Reason ?? Missing(gguf);
        string? program = LlamaBenchProgram.Find(options.LlamaBench);
        string place =
            provider is { } asked ? asked.Name()
            : program is null ? ExecutionProvider.Cpu.Name()
            : LlamaBenchProgram.Backends(program) is { } backends ? Place(backends)
            : ItsOwnChoice;
        string precision = gguf is null ? "unknown" : LlamaBenchModel.Precision(null, gguf);
        EngineOptions engineOptions = EngineOptionsAt(provider, place, context);
        yield return new CaseSubject(engine, place, model)
        {
            ModelName = gguf is null ? new ModelVariant(model, default, null, null).ShownName : LlamaBenchModel.Name(gguf),
            Path = gguf ?? "",
            Sha256 = skip is null ? context.Models.FingerprintFile(gguf!) : null,
            IsReal = gguf is not null && !Directory.Exists(model) || ModelVariant.IsReal(model),
            Precision = precision,
            BlockSize = LlamaBenchModel.BlockSize(precision),
            EngineOptions = engineOptions,
            Device = engineOptions.Device is null ? null : context.Device?.Name,
            Tokenizer = skip is null ? context.TokenizerOf(model) : null,
            DrawsOwnTokens = true,
            Skip = skip,
            BenchProgram = program ?? "llama-bench",
        };
    }

    public override bool MeasuresItself => true;

    public override CaseOutcome Read(PlannedCase planned, IReadOnlyList<string> launches, RunIdentity run, RunEnvironment environment) =>
        LlamaBenchCase.Read(planned, launches, run, environment);

    public override CaseOutcome Measure(
        PlannedCase planned,
        SuiteOptions options,
        KeptLaunches launches,
        RunIdentity run,
        RunEnvironment environment
    )
    {
        Console.Write($"{planned.CaseId}  ");
        CaseOutcome outcome = LlamaBenchCase.Measure(planned, options.Launches, options.Iterations, run, environment, kept: launches);
        Console.WriteLine(
            outcome.Status == CaseStatus.Ok
                ? FormattableString.Invariant($"{outcome.Samples.Average(sample => sample.DecodeTps):0.0} tok/s")
                : "failed"
        );
        return outcome;
    }

    /// <summary>Where a test ran, in the suite's names where it has one: BLAS is a library of the processor, RPC a way to another
    /// machine.</summary>
    public static string Place(IEnumerable<string> backends)
    {
        string backend = backends.FirstOrDefault(name => name is not ("cpu" or "blas" or "rpc")) ?? "cpu";
        return Array.Find(s_backends, place => place.Backend == backend) is { Backend: not null } known ? known.Provider.Name() : backend;
    }

    private static EngineOptions EngineOptionsAt(ExecutionProvider? provider, string place, PlanContext context)
    {
        bool isCpu = place == ExecutionProvider.Cpu.Name();
        ExecutionProvider at =
            provider
            ?? s_backends.Where(row => row.Provider.Name() == place).Select(row => row.Provider).FirstOrDefault(ExecutionProvider.Cuda);
        return new EngineOptions
        {
            Provider = isCpu ? ExecutionProvider.Cpu : at,
            Device = isCpu ? null : context.DeviceIndex(at)?.ToString(CultureInfo.InvariantCulture),
            Threads = isCpu ? context.CpuThreads : context.Options.Threads,
        };
    }

    private static string? Missing(string? gguf) =>
        gguf is null
            ? "llama.cpp reads .gguf files, and there is none in the checkpoint's folder; convert the checkpoint with llama.cpp's "
                + "convert_hf_to_gguf.py, or name a file with --gguf"
        : File.Exists(gguf) ? null
        : $"the file {gguf} is not there";

    private static string? BackendOf(ExecutionProvider provider) => Array.Find(s_backends, place => place.Provider == provider).Backend;
}
