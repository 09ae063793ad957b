using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.EventProcessors;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using Llama3Perf.Benchmarks.Planning;
using Perfolizer.Mathematics.OutlierDetection;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>The suite's BenchmarkDotNet configuration.</summary>
internal static class SuiteConfig
{
    public static IConfig Create(SuiteOptions options, SuitePlan plan, string artifactsPath, EventProcessor? events = null, params ILogger[] loggers) => ManualConfig
        .CreateEmpty()
        .AddJob(GenerationJob(options).AsDefault())
        .AddJob(IsolationMutator(options))
        .AddColumnProvider(DefaultColumnProviders.Descriptor, DefaultColumnProviders.Params, DefaultColumnProviders.Job, DefaultColumnProviders.Statistics, DefaultColumnProviders.Metrics)
        .AddColumn(CaseColumn.All)
        .AddColumn(SummaryColumn.All)
        .AddColumn(ThroughputColumn.All)
        .HideColumns(Column.Job, Column.Error, Column.RatioSD, Column.EngineFactory, Column.InvocationCount, Column.UnrollFactor, CaseColumn.Parameter)
        .AddExporter(MarkdownExporter.GitHub, JsonExporter.Full)
        .AddLogger(loggers)
        .AddEventProcessor(events is null ? [] : [events])
        .AddValidator([.. DefaultConfig.Instance.GetValidators()])
        .AddFilter(new PlannedCases())
        .WithOrderer(new ModelOrderer(plan))
        .WithArtifactsPath(artifactsPath)
        .WithSummaryStyle(BenchmarkDotNet.Reports.SummaryStyle.Default.WithMaxParameterColumnWidth(40))
        .WithOptions(Workspace.IsOptimized ? ConfigOptions.Default : ConfigOptions.DisableOptimizationsValidator);

    // A default job, so that BenchmarkDotNet's own --launchCount and its like still change it and classes with a job of their own keep that.
    private static Job GenerationJob(SuiteOptions options) => Job.Default
        .WithStrategy(RunStrategy.Monitoring)
        .WithEngineFactory(new MeasuringEngineFactory())
        .WithInvocationCount(1)
        .WithUnrollFactor(1)
        .WithLaunchCount(options.Launches)
        .WithWarmupCount(options.Warmups)
        .WithIterationCount(options.Iterations)
        .WithOutlierMode(OutlierMode.DontRemove);

    private static Job IsolationMutator(SuiteOptions options) => options.Isolation switch
    {
        Isolation.None => new Job().WithToolchain(new InProcessToolchain()).AsMutator(),
        _ => new Job().AsMutator(),
    };
}
