using BenchmarkDotNet.Characteristics;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using BenchmarkDotNet.Validators;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// BenchmarkDotNet's in-process toolchain with two mends: the lines that the engine prints arrive in the result as they do
/// from a child process, and a case that fails in its setup is a failed case instead of the end of the run.
/// </summary>
internal sealed class InProcessToolchain : IToolchain
{
    // The built-in default ends the whole run after five minutes; a slow model is no error.
    private static readonly InProcessNoEmitToolchain s_builtIn = new(TimeSpan.FromDays(7), logOutput: true);

    public string Name => s_builtIn.Name;

    public IGenerator Generator => s_builtIn.Generator;

    public IBuilder Builder => s_builtIn.Builder;

    public IExecutor Executor { get; } = new LineCollectingExecutor();

    public bool IsInProcess => true;

    // The built-in check accepts no toolchain but its own type; what it would check of a job, the suite's own jobs fulfil.
    public IEnumerable<ValidationError> Validate(BenchmarkCase benchmarkCase, IResolver resolver) => [];

    public override string ToString() => Name;

    private sealed class LineCollectingExecutor : IExecutor
    {
        public ExecuteResult Execute(ExecuteParameters executeParameters)
        {
            LineLogger lines = new(executeParameters.Logger);
            ExecuteParameters collecting = new(
                executeParameters.BuildResult,
                executeParameters.BenchmarkCase,
                executeParameters.BenchmarkId,
                lines,
                executeParameters.Resolver,
                executeParameters.LaunchIndex,
                executeParameters.Diagnoser
            );
            ExecuteResult result = Run(collecting, lines);
            List<string> prefixed = lines.Lines.FindAll(line => line.StartsWith("//", StringComparison.Ordinal));
            List<string> measurements = [.. result.Measurements.Select(measurement => measurement.ToString())];
            return new ExecuteResult(
                true,
                result.ExitCode,
                Environment.ProcessId,
                measurements,
                prefixed,
                lines.Lines,
                executeParameters.LaunchIndex
            );
        }

        private static ExecuteResult Run(ExecuteParameters parameters, LineLogger lines)
        {
            try
            {
                return s_builtIn.Executor.Execute(parameters);
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                // The built-in executor stumbles over its own missing results when the setup threw; the engine has printed the cause.
                lines.WriteLine(LogKind.Error, "// " + exception.Message.ReplaceLineEndings(" "));
                return new ExecuteResult(true, exitCode: -1, Environment.ProcessId, [], [], [], parameters.LaunchIndex);
            }
        }
    }

    /// <summary>Passes everything on and keeps whole lines.</summary>
    private sealed class LineLogger(ILogger next) : ILogger
    {
        private readonly System.Text.StringBuilder _pending = new();

        public List<string> Lines { get; } = [];

        public string Id => nameof(LineLogger);

        public int Priority => 0;

        public void Write(LogKind logKind, string text)
        {
            _pending.Append(text);
            next.Write(logKind, text);
        }

        public void WriteLine()
        {
            EndLine();
            next.WriteLine();
        }

        public void WriteLine(LogKind logKind, string text)
        {
            _pending.Append(text);
            EndLine();
            next.WriteLine(logKind, text);
        }

        public void Flush() => next.Flush();

        private void EndLine()
        {
            Lines.Add(_pending.ToString());
            _pending.Clear();
        }
    }
}
