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

    /// <summary>Begins a line with one of BenchmarkDotNet's own measurements.</summary>
    public const string Measurement = "// BenchmarkDotNet: ";

    /// <summary>Starts the process, waits for it, and keeps what it printed.</summary>
    /// <param name="planned">The case, one of the plan that <see cref="SuitePlan.Variable"/> names.</param>
    /// <param name="options">Warm-ups and iterations.</param>
    /// <param name="index">Number of the launch.</param>
    /// <param name="isBare">Leaves BenchmarkDotNet out.</param>
    /// <param name="logger">Told every line as it comes.</param>
    /// <param name="takeInput">Takes the writer by which the launch is given its turns; null for a launch that takes none.</param>
    public static ExecuteResult Run(
        PlannedCase planned,
        SuiteOptions options,
        int index,
        bool isBare,
        ILogger logger,
        Action<StreamWriter>? takeInput = null
    )
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
            .. takeInput is null ? (string[])[] : ["--turns"],
        ]);
        if (takeInput is null)
        {
            process.StandardInput.Close();
        }
        else
        {
            takeInput(process.StandardInput);
        }

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

        string[] measurements =
        [
            .. lines.Where(line => line.StartsWith(Measurement, StringComparison.Ordinal)).Select(line => line[Measurement.Length..]),
        ];
        return new ExecuteResult(true, process.ExitCode, process.Id, measurements, lines, lines, index);
    }

    /// <summary>The last line of what a process said on standard error, without its heading.</summary>
    public static string? LastLine(string errors) =>
        errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [.., var last]
            ? last.StartsWith("error: ", StringComparison.Ordinal)
                ? last["error: ".Length..]
                : last
            : null;
}
