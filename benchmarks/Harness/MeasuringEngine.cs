using System.Diagnostics;
using BenchmarkDotNet.Characteristics;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// Makes BenchmarkDotNet's engine report what happened inside each iteration. BenchmarkDotNet creates it by its parameterless
/// constructor in the measuring process.
/// </summary>
public sealed class MeasuringEngineFactory : IEngineFactory
{
    /// <inheritdoc/>
    public IEngine CreateReadyToRun(EngineParameters engineParameters)
    {
        try
        {
            engineParameters.Host.WriteLine(new ProcessStarted(Environment.ProcessId).Format());
            // Runs the benchmark's GlobalSetup: the model is loaded here.
            var launch = LaunchRecorder.Begin();
            IEngine inner = new EngineFactory().CreateReadyToRun(engineParameters);
            return new MeasuringEngine(inner, launch);
        }
        catch (Exception exception)
        {
            MeasuringEngine.ReportFailure(engineParameters.Host, exception);
            throw;
        }
    }
}

/// <summary>The iteration loop of a job with fixed warm-up and iteration counts, one operation an iteration.</summary>
internal sealed class MeasuringEngine(IEngine inner, LaunchRecorder launch) : IEngine
{
    private static readonly TimeSpan s_shortestWarmUp = TimeSpan.FromMilliseconds(500);

    public IHost Host => inner.Host;

    public Job TargetJob => inner.TargetJob;

    public long OperationsPerInvoke => inner.OperationsPerInvoke;

    public Action? GlobalSetupAction => inner.GlobalSetupAction;

    public Action? GlobalCleanupAction => inner.GlobalCleanupAction;

    public Action<long> WorkloadAction => inner.WorkloadAction;

    public Action<long> OverheadAction => inner.OverheadAction;

    public IResolver Resolver => inner.Resolver;

    public void WriteLine() => inner.WriteLine();

    public void WriteLine(string line) => inner.WriteLine(line);

    public Measurement RunIteration(IterationData data) => inner.RunIteration(data);

    public void Dispose() => inner.Dispose();

    public RunResults Run()
    {
        try
        {
            return MeasureIterations();
        }
        catch (Exception exception)
        {
            ReportFailure(Host, exception);
            throw;
        }
    }

    internal static void ReportFailure(IHost host, Exception exception)
    {
        // BenchmarkDotNet calls benchmark methods by reflection in-process, so the cause can be wrapped.
        Exception cause = exception is System.Reflection.TargetInvocationException { InnerException: { } inner } ? inner : exception;
        host.WriteLine(new LaunchFailed(cause.Message.ReplaceLineEndings(" ")).Format());
    }

    private RunResults MeasureIterations()
    {
        List<Measurement> measurements = [];
        if (launch.Started is { } started)
        {
            WriteLine(started.Format());
        }

        if (launch.WorkPerOperation.Count > 0)
        {
            WriteLine(new WorkKnown(launch.WorkPerOperation).Format());
        }

        int warmups = TargetJob.ResolveValue(RunMode.WarmupCountCharacteristic, Resolver);
        int iterations = TargetJob.ResolveValue(RunMode.IterationCountCharacteristic, Resolver);
        WarmUp(warmups, measurements);
        Host.SendSignal(HostSignal.BeforeActualRun);
        Repeat(IterationStage.Actual, iterations, measurements);
        Host.SendSignal(HostSignal.AfterActualRun);
        WriteLine(new LaunchEnded(ProcessMemory.PeakResidentBytes(), launch.PeakGpuBytes).Format());
        return new RunResults(measurements, Perfolizer.Mathematics.OutlierDetection.OutlierMode.DontRemove, default, default, 0);
    }

    /// <summary>
    /// At least so many iterations, and as many as the shortest warm-up takes: a generation of a tiny model is over before code,
    /// caches and clock speeds have settled. None where none was asked for.
    /// </summary>
    private void WarmUp(int count, List<Measurement> measurements)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 1; i <= count || (count > 0 && Stopwatch.GetElapsedTime(start) < s_shortestWarmUp); i++)
        {
            Iterate(IterationStage.Warmup, i, measurements, report: i <= count);
        }

        WriteLine();
    }

    private void Repeat(IterationStage stage, int count, List<Measurement> measurements)
    {
        for (int i = 1; i <= count; i++)
        {
            Iterate(stage, i, measurements, report: true);
        }

        WriteLine();
    }

    private void Iterate(IterationStage stage, int index, List<Measurement> measurements, bool report)
    {
        measurements.Add(RunIteration(new IterationData(IterationMode.Workload, stage, index, 1, 1)));
        if (launch.TakeResult() is { } result && report)
        {
            WriteLine(new IterationMeasured(stage == IterationStage.Warmup, result, result.PeakRssBytes ?? ProcessMemory.PeakResidentBytes()).Format());
        }
    }
}
