using Llama3Perf.Inference;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Running.LlamaBench;

/// <summary>llama.cpp as a case of a run, in its own words: what llama-bench measures, put into our columns as far as they mean the same.</summary>
internal static class LlamaBenchCase
{
    /// <summary>Engine of the cases.</summary>
    public const string Engine = "llama.cpp";

    private const string OwnDefinitions = "random tokens, no sampling: its own definitions";
    private const string NoDepth = "decode measured from an empty context: this llama-bench knows no depth";
    private const string NoGpu = "it names a GPU backend and no GPU: it may have run on the processor";

    private static readonly TimeSpan s_patience = TimeSpan.FromHours(1);

    /// <summary>Measures prompt and decode, two programs a launch. Times that llama-bench does not know (first token, whole generation, each token) stay null.</summary>
    /// <param name="program">llama-bench.</param>
    /// <param name="gguf">The model's file.</param>
    /// <param name="promptTokens">Prompt tokens, at least 1.</param>
    /// <param name="newTokens">New tokens, at least 1.</param>
    /// <param name="threads">Threads, or null for its own choice.</param>
    /// <param name="launches">Launches.</param>
    /// <param name="iterations">Repetitions within a launch; one sample each.</param>
    /// <param name="run">The run.</param>
    /// <param name="environment">Its machine.</param>
    /// <param name="runOverride">For tests: standard output for arguments, joined by blanks, instead of running the program.</param>
    /// <param name="timeout">Limit of one of its runs; null is an hour.</param>
    /// <param name="cancellationToken">Ends the measuring and the program.</param>
    /// <returns>The outcome; a failure is a failed one with its reason, never an exception.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static CaseOutcome Measure(
        string program, string gguf, int promptTokens, int newTokens, int? threads, int launches, int iterations, RunIdentity run, RunEnvironment environment,
        Func<string, string>? runOverride = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        LlamaBenchRequest request = new(gguf, promptTokens, newTokens, threads, iterations);
        Func<IReadOnlyList<string>, string> bench = runOverride is null
            ? arguments => LlamaBenchProgram.Run(program, arguments, timeout ?? s_patience, cancellationToken)
            : arguments => runOverride(string.Join(' ', arguments));
        CaseKey key = Key(request, null, null);
        try
        {
            string sha256 = LlamaBenchModel.Sha256(gguf);
            key = Key(request, null, sha256);
            LlamaBenchSession session = new(request, bench);
            LlamaBenchLaunch[] measured = [.. Enumerable.Range(0, launches).Select(_ => session.Launch(cancellationToken))];
            return Outcome(request, measured, session.KnowsDepth, Key(request, measured.FirstOrDefault()?.Prefill, sha256), run, environment);
        }
        catch (Exception e) when (e is EngineException or IOException or UnauthorizedAccessException)
        {
            return new CaseOutcome { Case = key, CaseId = CaseId.For(key), Status = CaseStatus.Failed, Error = LlamaBenchText.OneLine(e.Message) };
        }
    }

    private static CaseOutcome Outcome(
        LlamaBenchRequest request, LlamaBenchLaunch[] launches, bool knowsDepth, CaseKey key, RunIdentity run, RunEnvironment environment)
    {
        bool isWithoutGpu = key.Provider != "cpu" && key.Device is null;
        return new CaseOutcome
        {
            Case = key,
            CaseId = CaseId.For(key),
            Status = CaseStatus.Ok,
            Notes = [OwnDefinitions, .. knowsDepth ? [] : new[] { NoDepth }, .. isWithoutGpu ? [NoGpu] : Array.Empty<string>()],
            Samples =
            [
                .. from launch in Enumerable.Range(0, launches.Length)
                   from iteration in Enumerable.Range(0, request.Iterations)
                   select ToSample(launches[launch], launch, iteration, key, run, environment),
            ],
        };
    }

    private static Sample ToSample(LlamaBenchLaunch launch, int launchIndex, int iteration, CaseKey key, RunIdentity run, RunEnvironment environment) => new()
    {
        Run = run,
        Environment = environment,
        Case = key,
        CaseId = CaseId.For(key),
        LaunchIndex = launchIndex + 1,
        Iteration = iteration + 1,
        // Of the launch: when each repetition began it does not say.
        StartUtc = launch.StartUtc,
        PromptTokens = launch.Prefill.PromptTokens,
        NewTokens = launch.Decode.NewTokens,
        PrefillMs = launch.Prefill.SamplesNs[iteration] / 1e6,
        PrefillTps = launch.Prefill.SamplesTps[iteration],
        DecodeMs = launch.Decode.SamplesNs[iteration] / 1e6,
        DecodeTps = launch.Decode.SamplesTps[iteration],
        Completed = true,
    };

    private static CaseKey Key(LlamaBenchRequest request, LlamaBenchTest? test, string? sha256)
    {
        string precision = LlamaBenchModel.Precision(test?.ModelType, request.Gguf);
        string provider = Provider(test?.Backends);
        return new CaseKey
        {
            Engine = Engine,
            EngineVersions = test is null ? null : $"llama.cpp {test.BuildNumber} ({test.BuildCommit})",
            Provider = provider,
            Device = provider == "cpu" || test is not { GpuInfo.Length: > 0 } ? null : test.GpuInfo,
            ModelName = LlamaBenchModel.Name(request.Gguf),
            ModelSha256 = sha256,
            Weights = "real",
            Precision = precision,
            BlockSize = LlamaBenchModel.BlockSize(precision),
            PromptId = $"pp{request.PromptTokens}",
            ChatTemplate = "none",
            PromptTokens = request.PromptTokens,
            MaxLength = request.PromptTokens + request.NewTokens,
            Threads = request.Threads ?? test?.Threads,
        };
    }

    // BLAS is a library of the processor, RPC a way to another machine: neither is where the model runs.
    private static string Provider(string? backends) =>
        backends?.ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(name => name is not ("blas" or "rpc")) ?? "cpu";
}
