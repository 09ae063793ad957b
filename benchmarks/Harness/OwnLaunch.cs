using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.Results;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// A launch of a case in a process of this program: the verb <c>launch</c> with the plan of this process. BenchmarkDotNet's engine runs
/// there as it does in the children that BenchmarkDotNet builds, without a project to build: what is measured is the build that runs.
/// </summary>
internal static class OwnLaunch
{
    /// <summary>The verb.</summary>
    public const string Verb = "launch";

    /// <summary>Starts the process, waits for it, and keeps what it printed.</summary>
    /// <param name="planned">The case, one of the plan that <see cref="SuitePlan.Variable"/> names.</param>
    /// <param name="options">Warm-ups and iterations.</param>
    /// <param name="index">Number of the launch.</param>
    /// <param name="isBare">Leaves BenchmarkDotNet out.</param>
    /// <param name="logger">Told every line as it comes.</param>
    public static ExecuteResult Run(PlannedCase planned, SuiteOptions options, int index, bool isBare, ILogger logger)
    {
        using Process process = SuiteProgram.This.Start([
            Verb,
            "--case",
            planned.CaseId,
            "--warmup",
            options.Warmups.ToString(CultureInfo.InvariantCulture),
            "--iterations",
            options.Iterations.ToString(CultureInfo.InvariantCulture),
            .. isBare ? (string[])["--bare"] : [],
        ]);
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        List<string> lines = [];
        while (process.StandardOutput.ReadLine() is { } line)
        {
            lines.Add(line);
            logger.WriteLine(LogKind.Default, line);
        }

        process.WaitForExit();
        if (
            process.ExitCode != 0
            && !lines.Exists(line => MeasurementLine.Parse(line) is LaunchFailed)
            && LastLine(errors.Result) is { } error
        )
        {
            lines.Add(new LaunchFailed(error).Format());
        }

        return new ExecuteResult(true, process.ExitCode, process.Id, [], lines, lines, index);
    }

    /// <summary>The last line of what a process said on standard error, without its heading.</summary>
    public static string? LastLine(string errors) =>
        errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [.., var last]
            ? last.StartsWith("error: ", StringComparison.Ordinal)
                ? last["error: ".Length..]
                : last
            : null;
}
