using System.Text.Json;
using Llama3Perf.Benchmarks.Engines.LlamaBench;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Fuzz.Mutations;
using Llama3Perf.Inference;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Fuzz;

// Files of runs and what measuring processes say.
internal static partial class FuzzTargets
{
    private static FuzzTarget Samples(string folder) => RunFile("samples.csv", folder, file => RunReader.Read(file));

    private static FuzzTarget Results(string folder) =>
        RunFile("results.csv", folder, file => RunReader.Read(Path.GetDirectoryName(file)!));

    private static FuzzTarget Tokens(string folder) =>
        RunFile("tokens.csv", folder, file => RunReader.Read(Path.GetDirectoryName(file)!, withTokens: true));

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
        return OnFile(
            "invocation",
            Path.Combine(folder, "invocation.json"),
            JsonMutation.Apply,
            _ => RunInvocation.Read(folder),
            OfResults
        );
    }

    private static FuzzTarget Beginning(string folder)
    {
        string file = Path.Combine(folder, "beginning.json");
        RunBeginning beginning = new("run-1", DateTimeOffset.UnixEpoch, "abc", "m-1", [ExampleRun.Create().Cases[0].Case]);
        File.WriteAllText(file, JsonSerializer.Serialize(beginning));
        return OnFile("beginning", file, JsonMutation.Apply, _ => RunBeginning.Read(file), OfResults);
    }

    private static FuzzTarget Journal(string folder)
    {
        string file = Path.Combine(folder, "journal.jsonl");
        using (var journal = RunJournal.Open(file))
        {
            journal.Append(new LaunchResult("case-1", 1, 0, [new LaunchEnded(1000, null).Format()], ["WorkloadActual 1: 1 op, 2 ns"]));
            journal.Append(new LaunchResult("case-1", 2, null, [new LaunchFailed("why").Format()], []));
        }

        return OnFile(
            "journal",
            file,
            (input, random) => random.Next(2) == 0 ? LineOf(input, random) : ByteMutation.Apply(input, random),
            input =>
            {
                using var journal = RunJournal.Open(file);
                foreach (LaunchResult launch in journal.Launches)
                {
                    _ = launch.Failure();
                }
            },
            OfResults
        );

        static byte[] LineOf(byte[] input, Random random) =>
            [.. JsonMutation.Apply(input[..Array.IndexOf(input, (byte)'\n')], random), (byte)'\n'];
    }

    private static FuzzTarget LlamaBenchLaunches(string folder)
    {
        LlamaBenchTest test = new()
        {
            BuildCommit = "abc",
            BuildNumber = 7,
            Backends = "CPU",
            GpuInfo = "",
            ModelType = "llama 1B Q4_0",
            PromptTokens = 4,
            NewTokens = 0,
            SamplesNs = [1, 2],
            SamplesTps = [3, 4],
        };
        return new FuzzTarget(
            "llama-bench-launch",
            [Bytes(new LlamaBenchLaunch(DateTimeOffset.UnixEpoch, test, test, KnowsDepth: true).Text)],
            JsonMutation.Apply,
            input => LlamaBenchLaunch.Parse(System.Text.Encoding.UTF8.GetString(input)),
            OfEngines
        );
    }

    // A measuring process may die in the middle of a line, and a native library may print into it.
    private static FuzzTarget MeasurementLines(string folder)
    {
        GenerationResult result = new()
        {
            StartUtc = DateTimeOffset.UnixEpoch,
            PromptTokens = 3,
            NewTokens = [1, 2],
            TokenMs = [1.5, 2.5],
            PrefillMs = 1,
            ResetMs = 0.1,
        };
        MeasurementLine[] lines =
        [
            new LaunchStarted(12.5, new EngineDescription("ort", ExecutionProvider.Cpu), []),
            new IterationMeasured(false, result, 1000),
            new LaunchEnded(1000, null),
            new LaunchFailed("why"),
        ];
        const string Prefix = "// L3P ";
        return new FuzzTarget(
            "measurement-line",
            [.. lines.Select(line => Bytes(line.Format()[Prefix.Length..]))],
            (input, random) => random.Next(2) == 0 ? JsonMutation.Apply(input, random) : ByteMutation.Apply(input, random),
            input =>
            {
                if (MeasurementLine.Parse(Prefix + System.Text.Encoding.UTF8.GetString(input)) is LineUnreadable unreadable)
                {
                    throw new UnreadableLineException(unreadable.Text);
                }
            },
            e => e is UnreadableLineException
        );
    }

    private static FuzzTarget LlamaBench(string folder) =>
        new(
            "llama-bench",
            [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Seeds", "llama-bench")).Select(File.ReadAllBytes)],
            JsonMutation.Apply,
            input => LlamaBenchReport.Parse(System.Text.Encoding.UTF8.GetString(input)),
            OfEngines
        );

    private static FuzzTarget OnFile(
        string name,
        string file,
        Func<byte[], Random, byte[]> mutate,
        Action<byte[]> read,
        Func<Exception, bool> isDocumented
    ) =>
        new(
            name,
            [File.ReadAllBytes(file)],
            mutate,
            input =>
            {
                File.WriteAllBytes(file, input);
                read(input);
            },
            isDocumented
        );

    private sealed class UnreadableLineException(string message) : Exception(message);
}
