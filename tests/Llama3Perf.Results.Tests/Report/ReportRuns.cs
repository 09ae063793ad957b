using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Tests.Report;

/// <summary>Runs with the noise and the size of real ones, the same at every call.</summary>
internal static class ReportRuns
{
    public const string Hostile = "</script><script>alert(1)</script> \"&' <img src=http://example.com/x onerror=1> ]]> 𝛑 日本";

    /// <summary>A run of so many cases: three launches of five iterations of 64 tokens each.</summary>
    public static Run Of(int cases, int number = 0, string? driver = "32.0.15.6094", bool withTokens = true, string? commit = "0123abc") =>
        Of([.. Enumerable.Range(0, cases).Select(Key)], number, driver, withTokens, commit);

    /// <summary>A case for each value of a quantity.</summary>
    public static IEnumerable<CaseKey> Over(IEnumerable<int> values, Func<CaseKey, CaseKey> of, Func<CaseKey, int, CaseKey> with) =>
        values.Select(value => with(of(Key(1)), value));

    /// <summary>A run of these cases.</summary>
    public static Run Of(
        IReadOnlyList<CaseKey> cases,
        int number = 0,
        string? driver = "32.0.15.6094",
        bool withTokens = true,
        string? commit = "0123abc"
    )
    {
        RunIdentity identity = new(
            $"2026013{number}-120000-3f9c",
            new DateTimeOffset(2026, 1, 20 + number, 12, 0, 0, TimeSpan.Zero),
            commit
        );
        RunEnvironment environment = new()
        {
            MachineId = "m-5f3a",
            CpuName = "AMD EPYC 9555, 64-Core",
            RamBytes = 17_179_869_184,
            OsBuild = "Windows 11 (26100.4061)",
            GpuName = "NVIDIA RTX 5000 Ada Generation",
            GpuDriverVersion = driver,
            OrtVersion = "1.31.1",
            OrtPath = @"C:\suite\onnxruntime.dll",
            DotnetVersion = "10.0.12",
            BdnVersion = "0.15.8",
            PowerSource = "ac",
        };
        return new Run(
            identity,
            environment,
            [.. cases.Select((key, i) => Case(identity, environment, key, i, number, withTokens)), .. Problems()]
        );
    }

    /// <summary>Every text that a user or a library can put in a file, hostile.</summary>
    public static Run WithHostileTexts()
    {
        Run run = Of(cases: 1);
        return run with
        {
            Environment = run.Environment with { CpuName = Hostile, GpuDriverVersion = Hostile },
            Cases = [run.Cases[0] with { CaseId = Hostile }, run.Cases[^1] with { Error = Hostile, CaseId = Hostile + "2" }],
            Remarks = [Hostile],
        };
    }

    private static CaseKey Key(int index)
    {
        string[] precisions = ["fp16", "int4", "int8", "fp32"];
        int[] prompts = [16, 128, 512, 1024, 2048];
        string[] models = ["llama-3.2-1b-instruct", "llama-125m"];
        int prompt = prompts[index / 4 % prompts.Length];
        return Files.TestRuns.Case with
        {
            Engine = "genai",
            Provider = "dml",
            Device = "NVIDIA-RTX-5000-Ada",
            ModelName = models[index / 20 % 2],
            Precision = precisions[index % 4],
            BlockSize = index % 4 == 1 ? 32 : null,
            PromptId = $"pp{prompt}",
            PromptTokens = prompt,
            MaxLength = prompt + 64,
            Threads = null,
        };
    }

    private static CaseOutcome Case(RunIdentity identity, RunEnvironment environment, CaseKey key, int index, int number, bool withTokens)
    {
        Random random = new((index * 31) + number);
        double speed = (1 + (index % 4)) * (index >= 20 ? 3 : 1) * (1 + (0.03 * number));
        return new CaseOutcome
        {
            Case = key,
            CaseId = CaseId.For(key),
            Status = CaseStatus.Ok,
            Samples =
            [
                .. from launch in Enumerable.Range(1, 3)
                from iteration in Enumerable.Range(1, 5)
                select Sample(identity, environment, key, launch, iteration, speed, random, withTokens),
            ],
        };
    }

    private static Sample Sample(
        RunIdentity identity,
        RunEnvironment environment,
        CaseKey key,
        int launch,
        int iteration,
        double speed,
        Random random,
        bool withTokens
    )
    {
        int prompt = key.PromptTokens!.Value;
        double noise = 1 + ((random.NextDouble() - 0.5) * 0.06) + (launch * 0.004);
        double first = ((prompt * 0.12) + 6) / speed * noise;
        double[] gaps =
        [
            .. Enumerable
                .Range(0, 63)
                .Select(i =>
                    9 / speed * noise * (1 + (i * 0.001) + (random.NextDouble() * random.NextDouble() * 0.25)) * (i % 31 == 30 ? 1.7 : 1)
                ),
        ];
        double[] times = new double[64];
        times[0] = first;
        for (int i = 0; i < gaps.Length; i++)
        {
            times[i + 1] = times[i] + gaps[i];
        }

        double[] sorted = [.. gaps.Order()];
        double decode = times[^1] - first;
        return new Sample
        {
            Run = identity,
            Environment = environment,
            Case = key,
            CaseId = CaseId.For(key),
            LaunchIndex = launch,
            Iteration = iteration,
            StartUtc = identity.TestTime.AddSeconds((launch * 10) + iteration),
            PromptTokens = prompt,
            NewTokens = 64,
            PrefillMs = first - 0.5,
            TtftMs = first,
            DecodeMs = decode,
            EndToEndMs = times[^1],
            PrefillTps = prompt / (first - 0.5) * 1000,
            DecodeTps = 63 / decode * 1000,
            TpotMs = decode / 63,
            EndToEndTps = 64 / times[^1] * 1000,
            ArticleTps = (prompt + 64) / times[^1] * 1000,
            ItlP50Ms = sorted[31],
            ItlP90Ms = sorted[56],
            ItlP95Ms = sorted[59],
            ItlP99Ms = sorted[62],
            PeakRssBytes = 600_000_000,
            OutputSha256 = new string('c', 64),
            TokenMs = withTokens ? times : [],
            Completed = true,
        };
    }

    private static CaseOutcome[] Problems()
    {
        CaseKey key = Files.TestRuns.Case;
        CaseKey half = key with { Precision = "fp16", BlockSize = null };
        return
        [
            new CaseOutcome
            {
                Case = key,
                CaseId = CaseId.For(key),
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
        ];
    }
}
