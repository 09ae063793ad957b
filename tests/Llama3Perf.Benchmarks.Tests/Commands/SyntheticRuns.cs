using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>Run folders with known figures, written without measuring anything: 100 tokens a second, spread by half a percent.</summary>
internal static class SyntheticRuns
{
    private static readonly RunEnvironment s_environment = new()
    {
        MachineId = "m-1",
        CpuName = "a CPU",
        OsBuild = "an OS 1.0",
        OrtVersion = "1.31.1",
        DotnetVersion = "10.0.0",
        BdnVersion = "0.15.8",
    };

    public static CaseKey Case(string prompt = "pp8", int threads = 2) =>
        new()
        {
            Engine = "ort",
            Provider = "cpu",
            ModelName = "llama-tiny",
            ModelSha256 = new string('a', 64),
            Weights = "synthetic",
            HiddenSize = 64,
            LayerCount = 2,
            VocabularySize = 512,
            Precision = "int4",
            BlockSize = 32,
            PromptId = prompt,
            PromptSha256 = new string('b', 64),
            ChatTemplate = "none",
            PromptTokens = 8,
            MaxLength = 24,
            Threads = threads,
        };

    /// <param name="id">Run id.</param>
    /// <param name="cases">What it measured.</param>
    /// <param name="speed">Factor on every rate.</param>
    /// <param name="launches">Launches of each case.</param>
    /// <param name="iterations">Iterations of each launch.</param>
    /// <param name="spread">Relative distance of the outermost launches from the middle.</param>
    public static Run Of(
        string id,
        IReadOnlyList<CaseKey> cases,
        double speed = 1,
        int launches = 3,
        int iterations = 5,
        double spread = 0.005
    )
    {
        RunIdentity identity = new(id, new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), "0123abc");
        return new Run(
            identity,
            s_environment,
            [
                .. cases.Select(key => new CaseOutcome
                {
                    Case = key,
                    CaseId = CaseId.For(key),
                    Status = CaseStatus.Ok,
                    Samples =
                    [
                        .. from launch in Enumerable.Range(1, launches)
                        from iteration in Enumerable.Range(1, iterations)
                        let ofLaunch = launches == 1 ? 0 : spread * ((2.0 * (launch - 1) / (launches - 1)) - 1)
                        select Sample(identity, key, launch, iteration, speed * (1 + ofLaunch + (0.0005 * iteration))),
                    ],
                }),
            ]
        );
    }

    public static string Write(this Run run, string folder)
    {
        RunWriter.Write(run, folder);
        return folder;
    }

    /// <summary>The same run with other samples.</summary>
    public static Run With(this Run run, string id, Func<Sample, Sample> change)
    {
        RunIdentity identity = run.Identity with { RunId = id };
        return run with
        {
            Identity = identity,
            Cases =
            [
                .. run.Cases.Select(outcome =>
                    outcome with
                    {
                        Samples = [.. outcome.Samples.Select(sample => change(sample with { Run = identity }))],
                    }
                ),
            ],
        };
    }

    private static Sample Sample(RunIdentity identity, CaseKey key, int launch, int iteration, double speed)
    {
        double first = 10 / speed;
        double[] times = [.. Enumerable.Range(0, 16).Select(token => first + (token * 10 / speed))];
        double decode = times[^1] - first;
        return new Sample
        {
            Run = identity,
            Environment = s_environment,
            Case = key,
            CaseId = CaseId.For(key),
            LaunchIndex = launch,
            Iteration = iteration,
            StartUtc = identity.TestTime,
            PromptTokens = 8,
            NewTokens = 16,
            PrefillMs = first,
            TtftMs = first,
            DecodeMs = decode,
            EndToEndMs = times[^1],
            PrefillTps = 8000 / first,
            DecodeTps = 15_000 / decode,
            EndToEndTps = 16_000 / times[^1],
            ArticleTps = 24_000 / times[^1],
            ItlP50Ms = 10 / speed,
            ItlP90Ms = 10 / speed,
            ItlP95Ms = 10 / speed,
            ItlP99Ms = 10 / speed,
            PeakRssBytes = 100_000_000,
            ModelLoadMs = 100 + launch,
            FirstRunMs = 20 + launch,
            OutputSha256 = new string('c', 64),
            TokenMs = times,
            Completed = true,
        };
    }
}
