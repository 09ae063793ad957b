using Llama3Perf.Benchmarks.Engines.LlamaBench;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Fuzz.Mutations;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;

namespace Llama3Perf.Fuzz;

// Files of runs and what measuring processes say.
internal static partial class FuzzTargets
{
    private static FuzzTarget Samples(string folder) => RunFile("samples.csv", folder, file => RunReader.Read(file));

    private static FuzzTarget Results(string folder) => RunFile("results.csv", folder, file => RunReader.Read(Path.GetDirectoryName(file)!));

    private static FuzzTarget Tokens(string folder) => RunFile("tokens.csv", folder, file => RunReader.Read(Path.GetDirectoryName(file)!, withTokens: true));

    private static FuzzTarget RunFile(string name, string folder, Action<string> read)
    {
        string run = Path.Combine(folder, "run");
        RunWriter.Write(ExampleRun.Create(), run);
        string file = Path.Combine(run, name);
        return OnFile(name, file, CsvMutation.Apply, _ => read(file), OfResults);
    }

    private static FuzzTarget Noise(string folder)
    {
        string file = Path.Combine(folder, "noise.json");
        NoiseRecord.Measure([ExampleRun.Create()], new NoiseOptions()).Write(file);
        return OnFile("noise", file, JsonMutation.Apply, _ => NoiseRecord.Read(file), OfResults);
    }

    private static FuzzTarget Invocation(string folder)
    {
        RunInvocation.OfThisProcess.Write(folder);
        return OnFile("invocation", Path.Combine(folder, "invocation.json"), JsonMutation.Apply, _ => RunInvocation.Read(folder), OfResults);
    }

    private static FuzzTarget LlamaBench(string folder) => new(
        "llama-bench",
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Seeds", "llama-bench")).Select(File.ReadAllBytes)],
        JsonMutation.Apply,
        input => LlamaBenchReport.Parse(System.Text.Encoding.UTF8.GetString(input)),
        OfEngines);

    private static FuzzTarget OnFile(string name, string file, Func<byte[], Random, byte[]> mutate, Action<byte[]> read, Func<Exception, bool> isDocumented) => new(
        name,
        [File.ReadAllBytes(file)],
        mutate,
        input =>
        {
            File.WriteAllBytes(file, input);
            read(input);
        },
        isDocumented);
}
