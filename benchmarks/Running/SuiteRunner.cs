using System.IO.Enumeration;
using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.ConsoleArguments;
using BenchmarkDotNet.ConsoleArguments.ListBenchmarks;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Jobs;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference.Conditions;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>A run from options to files: plan, measure, gather, write, show.</summary>
internal static class SuiteRunner
{
    private static readonly string s_mainJob = $"{typeof(GenerationBenchmarks).FullName}.{nameof(GenerationBenchmarks.Generate)}";

    private static readonly BenchmarkSwitcher s_switcher = BenchmarkSwitcher.FromAssembly(typeof(SuiteRunner).Assembly);

    /// <summary>Names of BenchmarkDotNet's own options, with their dashes.</summary>
    public static IReadOnlySet<string> BenchmarkDotNetOptions { get; } =
        typeof(CommandLineOptions)
            .GetProperties()
            .SelectMany(property => property.GetCustomAttributes<CommandLine.OptionAttribute>())
            .Select(option => $"--{option.LongName}")
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <returns>The exit code: success only if every case that was not skipped has a result.</returns>
    public static int Run(SuiteOptions options)
    {
        CommandLineOptions parsed = CheckBenchmarkDotNetArguments(options);
        if (parsed.ListBenchmarkCaseMode != ListBenchmarkCaseMode.Disabled || parsed.PrintInformation)
        {
            s_switcher.Run([.. options.BenchmarkDotNetArguments], ManualConfig.CreateEmpty().AddLogger(ConsoleLogger.Default));
            return ExitCode.Success;
        }

        MeasurableBuild.Require();
        options = ChooseIsolation(options);
        CheckSpin(options);
        using ProcessState process = new();
        process.Set(HomePaths.KeepVariable, options.KeepPaths ? "1" : "");
        string[] filters = parsed.Filters.Any() ? [.. parsed.Filters] : [s_mainJob];
        if (options.DryRun)
        {
            return Preview(new PlanContext(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models)), filters);
        }

        MeasuringTraces.CleanUp();
        RunIdentity identity = NewIdentity(options);
        string path = options.Output ?? Path.Combine(Workspace.Results, identity.RunId);
        foreach (string left in RunCleanup.CleanUp(Path.GetDirectoryName(Path.GetFullPath(path))!).Where(left => !options.Resume))
        {
            Console.WriteLine($"{left} holds the finished launches of a run that was interrupted; to go on with it: run --resume {left}");
        }

        using RunOutput folder = options.Resume ? RunOutput.Resume(path) : RunOutput.Create(path, options.Force);
        options = options with { Seed = folder.Seed ?? options.Seed ?? Random.Shared.Next(1_000_000) };
        PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
        SuitePlan plan = Plan(context, filters);
        RequireModels(options, plan);
        identity = folder.Begin(identity, context.Machine, plan, options.Seed, options.KeepPaths);
        using MeasuringTraces traces = new();
        using RunRecorder recorder = new(identity, context, plan, folder, traces, isOpen: options.Until is not null);
        try
        {
            return Measure(identity, context, plan, filters, folder, recorder);
        }
        catch (Exception exception) when (exception is not UsageException && recorder.Stop())
        {
            recorder.WaitForEnd();
            Console.Error.WriteLine(recorder.WhereKept);
            throw;
        }
    }

    private static int Measure(
        RunIdentity identity,
        PlanContext context,
        SuitePlan plan,
        string[] filters,
        RunOutput folder,
        RunRecorder recorder
    )
    {
        SuiteOptions options = context.Options;
        ProgressDisplay display = new(options, plan, recorder.Environment().MemoryGigabytesPerSecond);
        display.ShowPlan();
        new QuietMachine(ForeignLoad.Look, text => Screen.Line(text, Tone.Doubtful)).Check(options);
        BenchmarkReport[] reports = Generate(options, plan, filters, folder, display, recorder);
        recorder.WaitForEnd();
        RunEnvironment environment = recorder.Environment();
        CaseOutcome[] measuredThemselves =
        [
            .. plan
                .Runnable.Where(planned => EngineFamilies.Of(planned.Key.Engine).MeasuresItself)
                .Select(planned =>
                    EngineFamilies.Of(planned.Key.Engine).Measure(planned, options, recorder.OwnOf(planned), identity, environment) with
                    {
                        Verification = planned.Verification,
                    }
                ),
        ];
        Dictionary<string, CaseOutcome> measured = measuredThemselves.ToDictionary(outcome => outcome.CaseId);
        foreach (BenchmarkReport report in reports)
        {
            if (PlannedCases.Of(report.BenchmarkCase) is { } planned)
            {
                measured[planned.CaseId] = OutcomeOf(planned, report, identity, environment, options, recorder);
            }
        }

        Run run = new(
            identity,
            environment,
            [.. plan.Cases.Select(planned => measured.GetValueOrDefault(planned.CaseId) ?? OutcomeReader.NotMeasured(planned))]
        );
        if (run.Cases.Count > 0)
        {
            RunWriter.Write(HomePaths.Shown(run), folder.WorkPath);
        }

        folder.Complete();
        ResultDisplay.Show(run, folder.Path, options.AsArticle);
        return ExitCodeOf(run, reports);
    }

    // Lists what would be measured; nothing is built, and nothing is left behind.
    private static int Preview(PlanContext context, string[] filters)
    {
        SuitePlan plan = Plan(context, filters);
        TimeEstimate time = new([.. plan.Generations], context.Options, MemoryBandwidth.Read(PhysicalCores.Count));
        PlanDisplay.Show(plan, context.Options, time);
        return plan.Runnable.Any() ? ExitCode.Success : ExitCode.Input;
    }

    internal static void CheckSpin(SuiteOptions options)
    {
        if (options.Spin is not null && options.SessionEntries.Keys.FirstOrDefault(SpinEntries.Of(options.Spin).ContainsKey) is { } entry)
        {
            throw new UsageException($"--spin {options.Spin} and --session-entry {entry}: give one of them");
        }
    }

    internal static RunIdentity NewIdentity(SuiteOptions options)
    {
        DateTimeOffset start = DateTimeOffset.UtcNow;
        return new RunIdentity(RunId.New(start), start, EnvironmentCapture.BuildCommit) { Label = options.Label };
    }

    private static SuitePlan Plan(PlanContext context, string[] filters)
    {
        IReadOnlyList<string> models =
            Selects(filters, typeof(TokenizerBenchmarks)) || Selects(filters, typeof(ModelLoadBenchmarks))
                ?
                [
                    .. context.Options.Models.Select(model =>
                        ModelVariant.IsFinished(model)
                            ? Path.GetFullPath(model)
                            : context.Models.Prepare(new ModelBuildOptions { Model = model }).Path
                    ),
                ]
                : [];
        IReadOnlyList<PlannedCase> cases = Selects(filters, typeof(GenerationBenchmarks))
            ? new CasePlanner(context).Plan(EngineFamilies.Choose(context))
            : [];
        return new SuitePlan(cases, models);
    }

    // What BenchmarkDotNet's --filter takes of a class, known before it runs: only those models are made.
    private static bool Selects(string[] filters, Type benchmarks) =>
        benchmarks
            .GetMethods()
            .Where(method => method.IsDefined(typeof(BenchmarkAttribute), inherit: false))
            .Any(method => filters.Any(filter => FileSystemName.MatchesSimpleExpression(filter, $"{benchmarks.FullName}.{method.Name}")));

    private static BenchmarkReport[] Generate(
        SuiteOptions options,
        SuitePlan plan,
        string[] filters,
        RunOutput folder,
        ProgressDisplay display,
        RunRecorder recorder
    )
    {
        if (plan.Cases.Count > 0 && !plan.Generations.Any())
        {
            return [];
        }

        // Without a filter BenchmarkDotNet would ask on the console.
        string[] arguments = [.. options.BenchmarkDotNetArguments];
        if (!arguments.Any(argument => argument is "--filter" or "-f"))
        {
            arguments = [.. arguments, "--filter", .. filters];
        }

        ILogger[] loggers = options.Verbose ? [display, ConsoleLogger.Default] : [display];

        using ProcessState process = new();
        process.Set(SuitePlan.Variable, folder.PlanPath);
        if (options.Isolation == Isolation.Process)
        {
            process.Set(MeasuringTraces.Variable, recorder.Traces.JobId);
        }

        process.Set(MeasuringPriority.Variable, MeasuringPriority.Current() ?? "");
        process.Set(LeastMeasured.Variable, LeastMeasured.Of(options));

        // Children are built from code that this build has analyzed already; MSBuild takes properties from the environment.
        process.Set("RunAnalyzers", "false");
        process.Set("NativeSet", NativeLibraries.PackagedSet);

        // It looks for the project to build children from below the current directory.
        Environment.CurrentDirectory = Workspace.RepositoryRoot ?? Environment.CurrentDirectory;
        try
        {
            LaunchLimit limit = new(options.LaunchTimeout, options.Isolation == Isolation.None ? recorder.End : null);
            IConfig config = SuiteConfig.Create(
                options,
                plan,
                folder.WorkPath,
                display,
                (executor, built) => new RecordingExecutor(executor, built, options, limit, recorder.Book(display.BeginLaunch)),
                recorder.Traces.JobId,
                loggers
            );
            return [.. s_switcher.Run(arguments, config).SelectMany(summary => summary.Reports)];
        }
        finally
        {
            display.Dispose();
            LoadedModel.Unload();
        }
    }

    // A run that is measured again because of its figures takes the models that it had.
    internal static void RequireModels(SuiteOptions options, SuitePlan plan)
    {
        if (
            options.ExpectedModels is { } expected
            && plan.Runnable.FirstOrDefault(planned => !expected.Contains(planned.Key.ModelSha256)) is { } other
        )
        {
            throw new RunFileException(
                $"{other.ModelPath} is not the model that was measured: its model_sha256 is {other.Key.ModelSha256 ?? "unknown"}; "
                    + "--trust-invocation takes it all the same"
            );
        }
    }

    // How many launches a target takes BenchmarkDotNet does not know; the recorder has them all.
    private static CaseOutcome OutcomeOf(
        PlannedCase planned,
        BenchmarkReport report,
        RunIdentity identity,
        RunEnvironment environment,
        SuiteOptions options,
        RunRecorder recorder
    )
    {
        CaseOutcome outcome =
            options.Until is not null && report.BuildResult.IsBuildSuccess
                ? OutcomeReader.Read(planned, recorder.LaunchesOf(planned.CaseId), identity, environment)
                : OutcomeReader.Read(planned, report, identity, environment);
        return outcome with { LaunchOrder = options.OrderText, Notes = [.. outcome.Notes, .. recorder.TargetNote(planned.CaseId)] };
    }

    private static int ExitCodeOf(Run run, BenchmarkReport[] reports)
    {
        if (run.Cases.Any(outcome => outcome.Status == CaseStatus.Failed) || reports.Any(report => !report.Success))
        {
            return ExitCode.Failed;
        }

        return reports.Length > 0 || run.Cases.Any(outcome => outcome.Status == CaseStatus.Ok) ? ExitCode.Success : ExitCode.Input;
    }

    private static CommandLineOptions CheckBenchmarkDotNetArguments(SuiteOptions options)
    {
        AccumulationLogger log = new();
        (bool isSuccess, _, CommandLineOptions? parsed) = ConfigParser.Parse([.. options.BenchmarkDotNetArguments], log);
        if (isSuccess && parsed is not null)
        {
            return parsed;
        }

        // BenchmarkDotNet prints its whole help after the line that says what is wrong.
        string reason =
            log.GetLog()
                .Split('\n')
                .Select(line => line.Trim())
                .FirstOrDefault(line =>
                    line.StartsWith("Option", StringComparison.Ordinal) || line.StartsWith("The provided", StringComparison.Ordinal)
                )
            ?? "not understood";
        throw new UsageException(
            $"{string.Join(' ', options.BenchmarkDotNetArguments)}: neither our option nor BenchmarkDotNet's ({reason}); see --help"
        );
    }

    private static SuiteOptions ChooseIsolation(SuiteOptions options)
    {
        if (options.Isolation == Isolation.Process && Workspace.NoBuiltProcesses() is { } reason)
        {
            Console.WriteLine($"Measuring in processes of this program itself: {reason}, so BenchmarkDotNet can build none.");
        }

        // In one process a model stays loaded for the cases that share it.
        return (options.Isolation, options.Order) switch
        {
            (Isolation.None, LaunchOrder.Random) => throw new UsageException(
                "--order random goes with --isolation process: in one process a case would find the other's model loaded"
            ),
            (Isolation.None, _) => options with { Order = LaunchOrder.Fixed },
            _ => options with { Order = options.Order ?? LaunchOrder.Random },
        };
    }
}
