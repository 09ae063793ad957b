using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.EventProcessors;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.CsProj;
using Llama3Perf.Benchmarks.Planning;
using Perfolizer.Mathematics.OutlierDetection;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>The suite's BenchmarkDotNet configuration.</summary>
internal static class SuiteConfig
{
    public static IConfig Create(
        SuiteOptions options,
        SuitePlan plan,
        string artifactsPath,
        EventProcessor? events = null,
        Func<IExecutor, IReadOnlyList<BuildPartition>, IExecutor>? record = null,
        string? jobId = null,
        params ILogger[] loggers
    ) =>
        ManualConfig
            .CreateEmpty()
            .AddJob(GenerationJob(options, jobId).AsDefault())
            .AddJob(IsolationMutator(options, record ?? ((executor, _) => executor)))
            .AddColumnProvider(
                DefaultColumnProviders.Descriptor,
                DefaultColumnProviders.Params,
                DefaultColumnProviders.Job,
                DefaultColumnProviders.Statistics,
                DefaultColumnProviders.Metrics
            )
            .AddColumn(CaseColumn.All)
            .AddColumn(SummaryColumn.All)
            .AddColumn(ThroughputColumn.All)
            .HideColumns(
                Column.Job,
                Column.Error,
                Column.RatioSD,
                Column.EngineFactory,
                Column.InvocationCount,
                Column.UnrollFactor,
                CaseColumn.Parameter
            )
            .AddExporter(MarkdownExporter.GitHub, JsonExporter.Full)
            .AddLogger(loggers)
            .AddEventProcessor(events is null ? [] : [events])
            .AddValidator([.. DefaultConfig.Instance.GetValidators()])
            .AddFilter(new PlannedCases())
            .WithOrderer(new ModelOrderer(plan))
            .WithArtifactsPath(artifactsPath)
            // BenchmarkDotNet's own two minutes are not enough for a busy or slow machine.
            .WithBuildTimeout(TimeSpan.FromMinutes(20))
            .WithSummaryStyle(BenchmarkDotNet.Reports.SummaryStyle.Default.WithMaxParameterColumnWidth(40))
            .WithOptions(Workspace.IsOptimized ? ConfigOptions.Default : ConfigOptions.DisableOptimizationsValidator);

    // A default job, so that BenchmarkDotNet's own --launchCount and its like still change it and classes with a job of their own keep
    // that.
    private static Job GenerationJob(SuiteOptions options, string? id) =>
        (id is null ? Job.Default : new Job(id))
            .WithStrategy(RunStrategy.Monitoring)
            .WithEngineFactory(new MeasuringEngineFactory())
            .WithInvocationCount(1)
            .WithUnrollFactor(1)
            .WithLaunchCount(options.Until is null ? options.Launches : 1)
            .WithWarmupCount(options.Warmups)
            .WithIterationCount(options.Iterations)
            .WithOutlierMode(OutlierMode.DontRemove);

    private static Job IsolationMutator(SuiteOptions options, Func<IExecutor, IReadOnlyList<BuildPartition>, IExecutor> record) =>
        new Job()
            .WithToolchain(
                new RecordingToolchain(
                    options.Isolation == Isolation.None ? new InProcessToolchain() : CsProjCoreToolchain.NetCoreApp10_0,
                    record
                )
            )
            .AsMutator();
}
