using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Tests.Files;

/// <summary>Runs with known figures.</summary>
internal static class TestRuns
{
    public static RunIdentity Identity { get; } =
        new("20260131-120000-3f9c", new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero), "0123abc") { Label = "after BIOS 1.14" };

    public static RunEnvironment Environment { get; } =
        new()
        {
            MachineId = "m-5f3a",
            CpuName = "AMD EPYC 9555, 64-Core",
            RamBytes = 17_179_869_184,
            MemoryGigabytesPerSecond = 22.5,
            OsBuild = "Debian GNU/Linux 12 (6.1.0)",
            OrtVersion = "1.31.1",
            OrtPath = "/app/libonnxruntime.so",
            DotnetVersion = "10.0.12",
            BdnVersion = "0.15.8",
            PowerSource = "ac",
        };

    public static CaseKey Case { get; } =
        new()
        {
            Engine = "ort",
            BuildConfiguration = "Release",
            Provider = "cpu",
            ModelName = "llama-125m",
            ModelSha256 = new string('a', 64),
            Weights = "synthetic",
            HiddenSize = 768,
            LayerCount = 12,
            VocabularySize = 128256,
            Precision = "int4",
            BlockSize = 32,
            PromptId = "pp512",
            PromptSha256 = new string('b', 64),
            ChatTemplate = "none",
            PromptTokens = 512,
            MaxLength = 516,
            Threads = 2,
        };

    public static Conditions Quiet { get; } =
        new()
        {
            WatchedMs = 200,
            ForeignCpuPercent = 1.5,
            StealPercent = 0.25,
            CpuPressurePercent = 3,
            MemoryPressurePercent = 0,
            MajorFaults = 0,
            CpuClockPercent = 98.5,
            ThrottleCount = 0,
            CpuCelsius = 61.5,
            Power = "ac; plan performance",
            StoppedMs = 0,
            SuspendedMs = 0,
            ClockSetMs = 0,
        };

    /// <summary>Two launches of three iterations, one failed and one skipped case; every kind of cell that the files have.</summary>
    public static Run Fixed()
    {
        CaseKey text = Case with
        {
            PromptId = "says \"hi, you|me\"",
            PromptSha256 = null,
            PromptTokens = null,
            BlockSize = null,
            Precision = "fp32",
            Weights = "real",
            Engine = "external:transformers",
            EngineVersions = "torch 2.11.0, transformers 5.17.0",
            EngineOptions = "weights=nf4",
        };
        CaseKey half = Case with { Precision = "fp16", BlockSize = null, PromptTokens = null };
        CaseOutcome measured = Outcome(Case, launches: 2, iterations: 3);
        return new Run(
            Identity,
            Environment,
            [
                measured with
                {
                    WarmUps = [new(510, 4, true), new(530.5, 5, true)],
                    TokenizeMs = 0.125,
                    WeightBytesPerToken = 125_000_000,
                    ProcessPriority = "normal",
                    LaunchOrder = "random 42",
                    CpuFallbackOps = "aten::cumsum, aten::index_copy_",
                    Notes = ["dynamic KV cache"],
                    Verification = new VerificationOutcome
                    {
                        Status = VerificationStatus.Passed,
                        KlNats = 0.000012345,
                        KlLimitNats = 0.001,
                        TopPercent = 98.4375,
                        Detail = "2 prompts of 15 and 64 tokens, 32 greedy tokens each",
                    },
                    Samples =
                    [
                        .. measured.Samples.Select(
                            (sample, i) =>
                                OfLaunch(
                                    i == 4
                                        ? sample with
                                        {
                                            ClockDisagreementMs = 7.5,
                                            StoppedAttempts = 1,
                                            Conditions = Quiet with
                                            {
                                                StoppedMs = 1200,
                                                GpuClockPercent = 99,
                                                GpuThrottle = "power-cap+thermal",
                                                GpuCelsius = 71,
                                                GpuWatts = 350.5,
                                                GpuForeignPercent = 0,
                                            },
                                        }
                                        : sample
                                )
                        ),
                    ],
                },
                new CaseOutcome
                {
                    Case = text,
                    CaseId = CaseId.For(text),
                    Status = CaseStatus.Failed,
                    Error = "The process ended with code 139, \"segmentation fault\"",
                },
                new CaseOutcome
                {
                    Case = half,
                    CaseId = CaseId.For(half),
                    Status = CaseStatus.Skipped,
                    Error = "fp16 on the CPU computes in fp32; ask for it with --precision fp16",
                },
            ]
        );
    }

    private static Sample OfLaunch(Sample sample) =>
        sample with
        {
            ModelLoadMs = sample.LaunchIndex == 1 ? 140.5 : 150.25,
            FirstRunMs = sample.LaunchIndex == 1 ? 95 : 97,
            PeakGpuBytes = 1 << 30,
        };

    public static CaseOutcome Outcome(CaseKey key, int launches, int iterations) =>
        new()
        {
            Case = key,
            CaseId = CaseId.For(key),
            Status = CaseStatus.Ok,
            Samples =
            [
                .. from launch in Enumerable.Range(1, launches)
                from iteration in Enumerable.Range(1, iterations)
                select Sample(key, launch, iteration),
            ],
        };

    /// <summary>A sample whose figures depend on launch and iteration and agree with each other.</summary>
    public static Sample Sample(CaseKey key, int launch, int iteration)
    {
        int prompt = key.PromptTokens!.Value;
        double first = 80 + launch + (iteration / 8.0);
        double[] times = [.. Enumerable.Range(0, key.MaxLength - prompt).Select(i => first + (i * (10 + (iteration / 4.0))))];
        double decode = times[^1] - first;
        return new Sample
        {
            Run = Identity,
            Environment = Environment,
            Case = key,
            CaseId = CaseId.For(key),
            LaunchIndex = launch,
            Iteration = iteration,
            StartUtc = Identity.TestTime.AddSeconds((launch * 10) + iteration),
            PromptTokens = prompt,
            NewTokens = times.Length,
            PrefillMs = first - 0.5,
            TtftMs = first,
            DecodeMs = decode,
            EndToEndMs = times[^1],
            PrefillTps = prompt / (first - 0.5) * 1000,
            DecodeTps = (times.Length - 1) / decode * 1000,
            TpotMs = decode / (times.Length - 1),
            EndToEndTps = times.Length / times[^1] * 1000,
            ArticleTps = (prompt + times.Length) / times[^1] * 1000,
            ItlP50Ms = 10 + (iteration / 4.0),
            ItlP90Ms = 10 + (iteration / 4.0),
            ItlP95Ms = 10 + (iteration / 4.0),
            ItlP99Ms = 10.5 + (iteration / 4.0),
            FirstStepMs = times[1] - first,
            DecodeSteadyTps = (times.Length - 2) / (times[^1] - times[1]) * 1000,
            DecodeTrimmedTps = (times.Length - 1) / decode * 1000,
            ResetMs = 0.25,
            StoppedAttempts = 0,
            Conditions = Quiet,
            PeakRssBytes = 600_000_000 + (launch * 1000),
            OutputSha256 = new string('c', 64),
            TokenMs = times,
            Completed = true,
        };
    }
}

/// <summary>A folder of a test's own, deleted after it.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("l3p-").FullName;

    public string File(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>Published formats: a change of these files is a change for everyone who reads them, and needs a new schema version.</summary>
internal static class Golden
{
    /// <summary>
    /// Compares with tests/Llama3Perf.Results.Tests/Golden/NAME; the text that came instead is left beside the test's binaries.
    /// With LLAMA3PERF_UPDATE_GOLDEN=1 the file is written instead of compared, and the difference is reviewed as part of the change.
    /// </summary>
    public static void Verify(string name, string text) =>
        VerifyFile(Path.Combine("tests", "Llama3Perf.Results.Tests", "Golden", name), text);

    /// <summary>The same for a file anywhere in the repository.</summary>
    public static void VerifyFile(string path, string text)
    {
        string golden = Path.Combine(Llama3Perf.Tests.Fixtures.Root, path);
        string name = Path.GetFileName(path);
        if (Environment.GetEnvironmentVariable("LLAMA3PERF_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(golden, text);
        }

        string received = Path.Combine(AppContext.BaseDirectory, name + ".received");
        File.WriteAllText(received, text);
        string expected = File.Exists(golden) ? File.ReadAllText(golden) : "";
        Assert.True(
            expected == text,
            $"{name} is not what is published: {received} differs from {golden}; with LLAMA3PERF_UPDATE_GOLDEN=1 the tests write it"
        );
    }
}
