using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>One launch of one case, in the process that <see cref="OwnProcessToolchain"/> started for it.</summary>
internal static class OwnLaunch
{
    /// <summary>The verb, which no user types.</summary>
    public const string Verb = "measure-launch";

    /// <summary>Begins a line with one of BenchmarkDotNet's own measurements.</summary>
    public const string Measurement = "// L3P-BDN ";

    /// <param name="benchmarks">The class with the main job.</param>
    /// <param name="caseId">The case, of the plan that this process has inherited.</param>
    /// <param name="warmups">Generations before the measured ones.</param>
    /// <param name="iterations">Measured generations.</param>
    /// <returns>The process's exit code.</returns>
    public static int Run(Type benchmarks, string caseId, int warmups, int iterations)
    {
        SuitePlan plan = new([SuitePlan.Current.Cases.Single(planned => planned.CaseId == caseId)], []);
        string folder = Directory.CreateTempSubdirectory("llama3perf-launch-").FullName;
        try
        {
            string path = Path.Combine(folder, "plan.json");
            plan.Write(path);
            Environment.SetEnvironmentVariable(SuitePlan.Variable, path);
            SuiteOptions options = new()
            {
                Isolation = Isolation.None,
                Launches = 1,
                Warmups = warmups,
                Iterations = iterations,
            };
            IConfig config = SuiteConfig.Create(options, plan, folder, loggers: ConsoleLogger.Unicode);
            Summary summary = BenchmarkRunner.Run(benchmarks, config);
            foreach (Measurement measurement in summary.Reports.SelectMany(report => report.AllMeasurements))
            {
                Console.WriteLine(Measurement + measurement);
            }

            return summary.Reports.All(report => report.Success) && summary.Reports.Length > 0 ? 0 : 1;
        }
        finally
        {
            LoadedModel.Unload();
            Directory.Delete(folder, recursive: true);
        }
    }
}
