using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Comparison;

/// <summary>Runs with the noise of a quiet machine, the same in every test run.</summary>
internal static class MeasuredRuns
{
    /// <summary>The usual case: decodes about 100 tokens a second, first token after about 20 ms.</summary>
    public static CaseKey Case { get; } = TestRuns.Case with { MaxLength = 640 };

    /// <summary>A run of cases.</summary>
    /// <param name="id">Run id, also the seed of its noise.</param>
    /// <param name="cases">Cases; none measures <see cref="Case"/>.</param>
    /// <param name="slower">How many times longer everything takes.</param>
    /// <param name="launches">Launches of each case.</param>
    /// <param name="iterations">Iterations of each launch.</param>
    /// <param name="sd">Relative noise, between launches and within.</param>
    public static Run Run(
        string id,
        IReadOnlyList<CaseKey>? cases = null,
        double slower = 1,
        int launches = 3,
        int iterations = 5,
        double sd = 0.005
    )
    {
        Random random = new(id.Sum(c => c * 31) + id.Length);
        RunIdentity identity = TestRuns.Identity with { RunId = id, Label = null };
        return new Run(
            identity,
            TestRuns.Environment,
            [.. (cases ?? [Case]).Select(key => Outcome(identity, key, slower, launches, iterations, sd, random))]
        )
        {
            Source = $"results/{id}",
        };
    }

    /// <summary>The same figures as another run, changed.</summary>
    public static Run Changed(this Run run, string id, Func<Sample, Sample> change)
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

    /// <summary>The same run in another environment.</summary>
    public static Run In(this Run run, Func<RunEnvironment, RunEnvironment> environment)
    {
        RunEnvironment changed = environment(run.Environment);
        return run with
        {
            Environment = changed,
            Cases =
            [
                .. run.Cases.Select(outcome =>
                    outcome with
                    {
                        Samples = [.. outcome.Samples.Select(sample => sample with { Environment = changed })],
                    }
                ),
            ],
        };
    }

    /// <summary>The same run of another build.</summary>
    public static Run Built(this Run run, string commit)
    {
        RunIdentity identity = run.Identity with { BuildCommit = commit };
        return run with
        {
            Identity = identity,
            Cases =
            [
                .. run.Cases.Select(outcome =>
                    outcome with
                    {
                        Samples = [.. outcome.Samples.Select(sample => sample with { Run = identity })],
                    }
                ),
            ],
        };
    }

    /// <summary>Without the case of that index.</summary>
    public static Run Without(this Run run, int index) => run with { Cases = [.. run.Cases.Where((_, i) => i != index)] };

    /// <summary>With the first case ended in another way.</summary>
    public static Run Ended(this Run run, CaseStatus status, string error) =>
        run with
        {
            Cases = [run.Cases[0] with { Status = status, Error = error, Samples = [] }, .. run.Cases.Skip(1)],
        };

    /// <summary>With only the first iterations of each case, over all launches.</summary>
    public static Run First(this Run run, int samples) =>
        run with
        {
            Cases = [.. run.Cases.Select(outcome => outcome with { Samples = [.. outcome.Samples.Take(samples)] })],
        };

    /// <summary>The same figures, measured beside others that took that much of the processors.</summary>
    public static Run Beside(this Run run, double foreignPercent) =>
        run with
        {
            Cases =
            [
                .. run.Cases.Select(outcome =>
                    outcome with
                    {
                        Samples =
                        [
                            .. outcome.Samples.Select(sample =>
                                sample with
                                {
                                    Conditions = new Conditions { WatchedMs = 1000, ForeignCpuPercent = foreignPercent },
                                }
                            ),
                        ],
                    }
                ),
            ],
        };

    /// <summary>Decodes slower: longer decode times and lower rates.</summary>
    public static Sample Slower(Sample sample, double times) =>
        sample with
        {
            DecodeMs = sample.DecodeMs * times,
            DecodeTps = sample.DecodeTps / times,
            EndToEndMs = sample.TtftMs + sample.DecodeMs * times,
        };

    private static CaseOutcome Outcome(
        RunIdentity identity,
        CaseKey key,
        double slower,
        int launches,
        int iterations,
        double sd,
        Random random
    )
    {
        string caseId = CaseId.For(key);
        List<Sample> samples = [];
        for (int launch = 1; launch <= launches; launch++)
        {
            double ofLaunch = slower * Noise();
            samples.AddRange(
                Enumerable
                    .Range(1, iterations)
                    .Select(iteration => Sample(launch, iteration, 1270 * ofLaunch * Noise(), 20 * ofLaunch * Noise()))
            );
        }

        return new CaseOutcome
        {
            Case = key,
            CaseId = caseId,
            Status = CaseStatus.Ok,
            Samples = samples,
        };

        double Noise() => Math.Exp(sd * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

        Sample Sample(int launch, int iteration, double decode, double first) =>
            new()
            {
                Run = identity,
                Environment = TestRuns.Environment,
                Case = key,
                CaseId = caseId,
                LaunchIndex = launch,
                Iteration = iteration,
                StartUtc = identity.TestTime,
                PromptTokens = 512,
                NewTokens = 128,
                PrefillMs = first,
                TtftMs = first,
                DecodeMs = decode,
                EndToEndMs = first + decode,
                PrefillTps = 512 / first * 1000,
                DecodeTps = 127 / decode * 1000,
                EndToEndTps = 128 / (first + decode) * 1000,
                ArticleTps = 640 / (first + decode) * 1000,
                PeakRssBytes = 600_000_000,
                OutputSha256 = new string('c', 64),
                Completed = true,
            };
    }
}
