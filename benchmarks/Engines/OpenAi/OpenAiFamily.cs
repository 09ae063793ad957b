using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Results.Rows;
using Perfolizer.Mathematics.QuantileEstimators;

namespace Llama3Perf.Benchmarks.Engines.OpenAi;

/// <summary>Any server with an OpenAI-compatible endpoint, as Ollama, llama-server, vLLM and Foundry Local have one. Only the address that
/// the user names is contacted, and only for measuring.</summary>
internal sealed class OpenAiFamily : EngineFamily
{
    /// <summary>Environment variable with a key for servers that want one.</summary>
    public const string KeyVariable = "OPENAI_API_KEY";

    private const string Engine = "openai";
    private const string OverHttp = "over HTTP to a server with its own chat template: its own definitions";
    private const string Chunks = "chunks over HTTP, not tokens";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    public override IReadOnlyList<string> Names => [Engine];

    public override IReadOnlyList<ExecutionProvider> Places(string engine) => [ExecutionProvider.Cpu];

    public override bool IsImplied(SuiteOptions options) => options.Endpoint is not null;

    public override Availability Availability(string engine, ExecutionProvider provider, SuiteOptions options) =>
        options.Endpoint is null
            ? Inference.Availability.No("no server was named; name its address with --endpoint, up to /v1, and its model with --api-model")
        : options.ApiModel is null ? Inference.Availability.No("the server's name of the model is missing; give it with --api-model")
        : Inference.Availability.Yes;

    public override ExecutionProvider? BestPlace(string engine, PlanContext context) => null;

    public override IEnumerable<CaseSubject> Subjects(string engine, ExecutionProvider? provider, string model, PlanContext context)
    {
        string? skip = Availability(engine, ExecutionProvider.Cpu, context.Options).Reason;
        return
        [
            new CaseSubject(engine, "server", model)
            {
                ModelName = context.Options.ApiModel ?? "unknown",
                IsReal = true,
                Precision = "unknown",
                EngineOptions = new EngineOptions(),
                OptionsText = context.Options.Endpoint is { } address ? $"endpoint={address}" : null,
                TakesText = true,
                Skip = skip,
                BenchProgram = context.Options.Endpoint?.ToString() ?? engine,
            },
        ];
    }

    public override bool MeasuresItself => true;

    public override CaseOutcome Measure(
        PlannedCase planned,
        SuiteOptions options,
        KeptLaunches launches,
        RunIdentity run,
        RunEnvironment environment
    )
    {
        Console.Write($"{planned.CaseId}  ");
        CaseOutcome outcome = Measured(planned, options, run, environment);
        Console.WriteLine(
            outcome.Status == CaseStatus.Ok
                ? FormattableString.Invariant($"{outcome.Samples.Average(sample => sample.DecodeTps):0.0} tok/s")
                : "failed"
        );
        return outcome;
    }

    private static CaseOutcome Measured(PlannedCase planned, SuiteOptions options, RunIdentity run, RunEnvironment environment)
    {
        // A server counts the prompt with its template around it; how many new tokens are wanted is all that is asked.
        int newTokens = planned.Key.MaxLength - (planned.Key.PromptTokens ?? 0);
        string key = Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } given ? given : "none";
        try
        {
            OpenAiEndpoint endpoint = new(options.Endpoint!, options.ApiModel!, key, options.LaunchTimeout ?? s_patience);
            for (int i = 0; i < options.Warmups; i++)
            {
                _ = endpoint.Ask(planned.PromptText!, newTokens, CancellationToken.None);
            }

            List<Sample> samples = [];
            bool countsTokens = true;
            for (int launch = 1; launch <= options.Launches; launch++)
            {
                for (int iteration = 1; iteration <= options.Iterations; iteration++)
                {
                    StreamedAnswer answer = endpoint.Ask(planned.PromptText!, newTokens, CancellationToken.None);
                    countsTokens &= answer.NewTokens is not null;
                    samples.Add(ToSample(answer, planned, run, environment) with { LaunchIndex = launch, Iteration = iteration });
                }
            }

            // How long the prompt is with its template, the server alone knows.
            int? counted = samples.DistinctBy(sample => sample.PromptTokens).Count() == 1 ? samples[0].PromptTokens : null;
            CaseKey counts = planned.Key with { PromptTokens = counted };
            return new CaseOutcome
            {
                Case = counts,
                CaseId = planned.CaseId,
                Status = CaseStatus.Ok,
                Verification = planned.Verification,
                Notes = countsTokens ? [OverHttp] : [OverHttp, Chunks],
                Samples = [.. samples.Select(sample => sample with { Case = counts, PromptTokens = counted })],
            };
        }
        catch (EngineException e)
        {
            return new CaseOutcome
            {
                Case = planned.Key,
                CaseId = planned.CaseId,
                Status = CaseStatus.Failed,
                Error = e.Message,
            };
        }
    }

    internal static Sample ToSample(StreamedAnswer answer, PlannedCase planned, RunIdentity run, RunEnvironment environment)
    {
        int newTokens = answer.NewTokens ?? answer.ChunkMs.Length;
        double first = answer.ChunkMs[0];
        double last = answer.ChunkMs[^1];
        double[] gaps = [.. answer.ChunkMs.Zip(answer.ChunkMs.Skip(1), (a, b) => b - a)];
        return new Sample
        {
            Run = run,
            Environment = environment,
            Case = planned.Key,
            CaseId = planned.CaseId,
            LaunchIndex = 1,
            Iteration = 1,
            StartUtc = answer.StartUtc,
            PromptTokens = answer.PromptTokens ?? planned.Key.PromptTokens,
            NewTokens = newTokens,
            TtftMs = first,
            DecodeMs = gaps.Length > 0 ? last - first : null,
            EndToEndMs = last,
            DecodeTps = gaps.Length > 0 && last > first && newTokens > 1 ? (newTokens - 1) / (last - first) * 1000 : null,
            EndToEndTps = newTokens / last * 1000,
            ItlP50Ms = Percentile(gaps, 0.50),
            ItlP90Ms = Percentile(gaps, 0.90),
            ItlP95Ms = Percentile(gaps, 0.95),
            ItlP99Ms = Percentile(gaps, 0.99),
            Completed = true,
        };
    }

    // Hyndman and Fan's type 7, as everywhere in the suite.
    private static double? Percentile(double[] values, double probability) =>
        values.Length == 0 ? null : SimpleQuantileEstimator.Instance.Quantile(values, probability);
}
