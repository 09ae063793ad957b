using System.Diagnostics;
using System.Reflection;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>Engines that measure what a test says they do.</summary>
/// <param name="subjects">What is measured of a model.</param>
/// <param name="load">What a case loads; null for nothing.</param>
internal sealed class ScriptedFamily(
    Func<string, PlanContext, IEnumerable<CaseSubject>> subjects,
    Func<PlannedCase, IGenerator>? load = null
) : EngineFamily
{
    /// <summary>A memory of this machine's that every model fits into.</summary>
    private const long Memory = long.MaxValue;

    // One failure to build it is not that of every test after it.
    private static readonly Lazy<ModelFolder> s_tiny = new(Build, LazyThreadSafetyMode.PublicationOnly);

    /// <summary>True when the suite's code was compiled for a debugger, which need not be how these tests were.</summary>
    public static bool IsDebugged { get; } =
        typeof(PlannedCase).Assembly.GetCustomAttributes<DebuggableAttribute>().Any(attribute => attribute.IsJITOptimizerDisabled);

    /// <summary>The smallest shape in int4, built once for all tests.</summary>
    public static ModelFolder TinyFolder => s_tiny.Value;

    public override IReadOnlyList<string> Names => ["scripted"];

    /// <summary>A subject of which nothing but its name is known.</summary>
    public static CaseSubject Subject(string model = "some-model", string engine = "scripted") =>
        new(engine, "cpu", model)
        {
            ModelName = model,
            IsReal = false,
            Precision = "int4",
            EngineOptions = new EngineOptions { Threads = 1 },
        };

    /// <summary>Plans the subjects of each model.</summary>
    public static IReadOnlyList<PlannedCase> Plan(SuiteOptions options, Func<string, CaseSubject> subject) =>
        Plan(options, new ScriptedFamily((model, _) => [subject(model)]));

    /// <summary>Plans what a family measures on the CPU.</summary>
    public static IReadOnlyList<PlannedCase> Plan(SuiteOptions options, EngineFamily family, string? models = null) =>
        new CasePlanner(Context(options, models)).Plan([new EngineChoice(family, "scripted", ExecutionProvider.Cpu)]);

    /// <summary>What planning looks at.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="models">Folder of what is kept from run to run; null for the tests' own.</param>
    public static PlanContext Context(SuiteOptions options, string? models = null) =>
        new(options, new MachineInfo(), new ModelPreparation(models ?? Workspace.Models)) { AvailableMemory = () => Memory };

    public override IReadOnlyList<ExecutionProvider> Places(string engine) => [ExecutionProvider.Cpu];

    public override Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options) =>
        Inference.Availability.Yes;

    public override ExecutionProvider? BestPlace(string engine, PlanContext context) => ExecutionProvider.Cpu;

    public override IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context) =>
        subjects(model, context);

    public override IGenerator Load(PlannedCase planned) => load!(planned);

    // By what planning stands on, so that a fault in planning does not follow the folder into other tests.
    private static ModelFolder Build() =>
        new ModelStore(Path.Combine(Fixtures.Root, "artifacts", "models")).GetOrBuild(
            new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Int4 }
        );
}
