using Llama3Perf.Results.Rows;

namespace Llama3Perf.Fuzz;

/// <summary>A small run with every kind of case, some cells empty.</summary>
internal static class ExampleRun
{
    public static Run Create()
    {
        RunIdentity identity = new("run-1", new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), "0123abc");
        RunEnvironment environment = new()
        {
            MachineId = "m-1",
            CpuName = "a, \"CPU\"",
            OrtVersion = "1.31.1",
            DotnetVersion = "10.0.0",
            BdnVersion = "0.15.8",
        };
        CaseKey good = Key("pp8");
        CaseKey failed = Key("OpenVINO is");
        Sample[] samples =
        [
            .. from launch in Enumerable.Range(1, 2)
            from iteration in Enumerable.Range(1, 3)
            select Sample(identity, environment, good, launch, iteration),
        ];
        return new Run(
            identity,
            environment,
            [
                new CaseOutcome
                {
                    Case = good,
                    CaseId = CaseId.For(good),
                    Status = CaseStatus.Ok,
                    Samples = samples,
                },
                new CaseOutcome
                {
                    Case = failed,
                    CaseId = CaseId.For(failed),
                    Status = CaseStatus.Failed,
                    Error = "a reason, with a comma",
                },
            ]
        );
    }

    private static CaseKey Key(string prompt) =>
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
            MaxLength = 10,
            Threads = 2,
        };

    private static Sample Sample(RunIdentity identity, RunEnvironment environment, CaseKey key, int launch, int iteration) =>
        new()
        {
            Run = identity,
            Environment = environment,
            Case = key,
            CaseId = CaseId.For(key),
            LaunchIndex = launch,
            Iteration = iteration,
            StartUtc = identity.TestTime,
            ModelLoadMs = 99 + launch,
            FirstRunMs = 19 + launch,
            PromptTokens = 8,
            NewTokens = 2,
            PrefillMs = 8,
            TtftMs = 9,
            DecodeMs = 10,
            EndToEndMs = 19,
            PrefillTps = 1000 + iteration,
            DecodeTps = 100 + launch,
            EndToEndTps = 105,
            ArticleTps = 526,
            ItlP50Ms = 10,
            ItlP90Ms = 10,
            ItlP95Ms = 10,
            ItlP99Ms = 10,
            PeakRssBytes = 1 << 28,
            OutputSha256 = new string('c', 64),
            TokenMs = [9, 19],
            Completed = true,
        };
}
