using System.Runtime;
using BenchmarkDotNet.Characteristics;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using Llama3Perf.Inference.Conditions;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// Makes BenchmarkDotNet's engine report what happened inside each iteration. BenchmarkDotNet creates it by its parameterless
/// constructor in the measuring process.
/// </summary>
public sealed class MeasuringEngineFactory : IEngineFactory
{
    private static bool s_hasMeasured;

    /// <inheritdoc/>
    public IEngine CreateReadyToRun(EngineParameters engineParameters)
    {
        try
        {
            engineParameters.Host.WriteLine(new ProcessStarted(Environment.ProcessId).Format());
            // Before the set-up, which loads the model: its threads inherit the priority, and its memory is part of the peak.
            var launch = LaunchRecorder.Begin();
            string? priority = MeasuringPriority.Restore();
            bool isPeakOwn = ProcessMemory.ResetPeak() || !s_hasMeasured;
            s_hasMeasured = true;

            // Runs the benchmark's GlobalSetup.
            IEngine inner = new EngineFactory().CreateReadyToRun(engineParameters);
            return new MeasuringEngine(inner, launch, priority, isPeakOwn);
        }
        catch (Exception exception)
        {
            MeasuringEngine.ReportFailure(engineParameters.Host, exception);
            throw;
        }
    }
}

/// <summary>The iteration loop of a job with fixed iteration counts, one operation an iteration.</summary>
/// <param name="inner">BenchmarkDotNet's engine.</param>
/// <param name="launch">What the benchmark tells of the launch.</param>
/// <param name="priority">Priority of this process.</param>
/// <param name="isPeakOwn">Whether the process's peak memory is this launch's: where it cannot be reset it is that of an earlier case
/// too.</param>
internal sealed class MeasuringEngine(IEngine inner, LaunchRecorder launch, string? priority, bool isPeakOwn) : IEngine
{
    // What is stopped again and again is measured stopped, and unsteady.
    private const int MostStoppedAttempts = 3;

    private readonly ConditionsWatch? _watch = launch.Started is null
        ? null
        : new ConditionsWatch(launch.MeasuresInChildren, launch.GpuIndex);
    private int _stoppedAttempts;

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

    public void Dispose()
    {
        _watch?.Dispose();
        inner.Dispose();
    }

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
            WriteLine((started with { Priority = priority }).Format());
        }

        if (launch.WorkPerOperation.Count > 0)
        {
            WriteLine(new WorkKnown(launch.WorkPerOperation).Format());
        }

        int warmups = TargetJob.ResolveValue(RunMode.WarmupCountCharacteristic, Resolver);
        int iterations = TargetJob.ResolveValue(RunMode.IterationCountCharacteristic, Resolver);
        WarmUp(warmups, measurements);
        Host.SendSignal(HostSignal.BeforeActualRun);
        Repeat(iterations, measurements);
        Host.SendSignal(HostSignal.AfterActualRun);
        WriteLine(new LaunchEnded(PeakRss(), launch.PeakGpuBytes).Format());
        return new RunResults(measurements, Perfolizer.Mathematics.OutlierDetection.OutlierMode.DontRemove, default, default, 0);
    }

    // The main job warms up until nothing changes any more; benchmarks beside it as often as they ask.
    private void WarmUp(int count, List<Measurement> measurements)
    {
        WarmUp warmUp = new(count);
        for (int i = 1; launch.Started is null ? i <= count : !warmUp.IsOver; i++)
        {
            long compiled = JitInfo.GetCompiledMethodCount();
            Measurement measurement = Iterate(IterationStage.Warmup, i, measurements, report: i <= count);
            warmUp.Add(measurement.Nanoseconds / 1e6, JitInfo.GetCompiledMethodCount() - compiled, launch.Collections);
        }

        if (launch.Started is not null)
        {
            WriteLine(new WarmedUp(warmUp.TotalMs, warmUp.Count, warmUp.IsSettled).Format());
        }

        WriteLine();
    }

    // The main job as long as it takes to know; benchmarks beside it as often as they ask.
    private void Repeat(int count, List<Measurement> measurements)
    {
        double ms = 0;
        for (int i = 1; launch.Started is null ? i <= count : Turns.GoOn(LeastMeasured.IsReached(count, i - 1, ms), ms, WriteLine); i++)
        {
            ms += Iterate(IterationStage.Actual, i, measurements, report: true).Nanoseconds / 1e6;
        }

        WriteLine();
    }

    private Measurement Iterate(IterationStage stage, int index, List<Measurement> measurements, bool report)
    {
        for (int stopped = 0; ; stopped++)
        {
            _watch?.Begin();
            Measurement measurement = RunIteration(new IterationData(IterationMode.Workload, stage, index, 1, 1));
            MachineConditions? conditions = _watch?.End();
            Inference.GenerationResult? result = launch.TakeResult();
            long? gpuBytes = launch.TakeGpuBytes();
            if (
                stage == IterationStage.Actual
                && conditions is { StoppedMs: > 0 } or { SuspendedMs: > 0 }
                && _stoppedAttempts++ < MostStoppedAttempts
            )
            {
                continue;
            }

            measurements.Add(measurement);
            if (result is not null && report)
            {
                WriteLine(
                    new IterationMeasured(
                        stage == IterationStage.Warmup,
                        result,
                        result.PeakRssBytes ?? PeakRss(),
                        conditions,
                        stopped,
                        gpuBytes
                    ).Format()
                );
            }

            return measurement;
        }
    }

    private long? PeakRss() => isPeakOwn ? ProcessMemory.PeakResidentBytes() : null;
}
