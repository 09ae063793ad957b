using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.Characteristics;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using BenchmarkDotNet.Validators;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// A process for each launch where BenchmarkDotNet cannot build one, on a machine without the SDK or from a published copy: this program
/// once more, with <see cref="OwnLaunch"/> for its only task. Settings of the runtime are those of the program itself.
/// </summary>
internal sealed class OwnProcessToolchain : IToolchain
{
    // Nothing is generated or built.
    private static readonly InProcessToolchain s_inProcess = new();

    public string Name => "own process";

    public IGenerator Generator => s_inProcess.Generator;

    public IBuilder Builder => s_inProcess.Builder;

    public IExecutor Executor { get; } = new OwnProcessExecutor();

    public bool IsInProcess => false;

    public IEnumerable<ValidationError> Validate(BenchmarkCase benchmarkCase, IResolver resolver) => [];

    public override string ToString() => Name;

    private sealed class OwnProcessExecutor : IExecutor
    {
        public ExecuteResult Execute(ExecuteParameters executeParameters)
        {
            BenchmarkCase benchmark = executeParameters.BenchmarkCase;
            if (PlannedCases.Of(benchmark)?.CaseId is not { } caseId)
            {
                // The benchmarks beside the main job have no launches to keep apart.
                return s_inProcess.Executor.Execute(executeParameters);
            }

            List<string> lines = [];
            using Process process = new() { StartInfo = StartInfo(caseId, benchmark) };
            process.OutputDataReceived += (_, line) => Take(line.Data, LogKind.Default);
            process.ErrorDataReceived += (_, line) => Take(line.Data, LogKind.Error);
            process.Start();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            process.WaitForExit();
            return new ExecuteResult(
                true,
                process.ExitCode,
                process.Id,
                [
                    .. lines
                        .Where(line => line.StartsWith(OwnLaunch.Measurement, StringComparison.Ordinal))
                        .Select(line => line[OwnLaunch.Measurement.Length..]),
                ],
                lines.FindAll(line => line.StartsWith("//", StringComparison.Ordinal)),
                lines,
                executeParameters.LaunchIndex
            );

            void Take(string? line, LogKind kind)
            {
                if (line is null)
                {
                    return;
                }

                lock (lines)
                {
                    lines.Add(line);
                    executeParameters.Logger.WriteLine(kind, line);
                }
            }
        }

        private static ProcessStartInfo StartInfo(string caseId, BenchmarkCase benchmark)
        {
            string program = Environment.ProcessPath ?? throw new NotSupportedException("The system does not tell this program's file.");
            bool isHost = Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
            string[] arguments =
            [
                .. isHost ? [typeof(OwnLaunch).Assembly.Location] : Array.Empty<string>(),
                OwnLaunch.Verb,
                caseId,
                benchmark.Job.Run.WarmupCount.ToString(CultureInfo.InvariantCulture),
                benchmark.Job.Run.IterationCount.ToString(CultureInfo.InvariantCulture),
            ];
            return new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
        }
    }
}
