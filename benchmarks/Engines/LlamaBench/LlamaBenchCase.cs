using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>llama.cpp as a case of a run, in its own words: what llama-bench measures, put into our columns as far as they mean the
/// same.</summary>
internal static class LlamaBenchCase
{
    private const string OwnDefinitions = "random tokens, no sampling: its own definitions";
    private const string NoDepth = "decode measured from an empty context: this llama-bench knows no depth";
    private const string NoGpu = "it names a GPU backend and no GPU: it may have run on the processor";

    private static readonly TimeSpan s_patience = TimeSpan.FromHours(1);

    /// <summary>Measures prompt and decode, two programs a launch. Times that llama-bench does not know (first token, whole generation,
    /// each token) stay null.</summary>
    /// <param name="planned">The case; its prompt and new tokens are at least 1.</param>
    /// <param name="launches">Launches.</param>
    /// <param name="iterations">Repetitions within a launch; one sample each.</param>
    /// <param name="run">The run.</param>
    /// <param name="environment">Its machine.</param>
    /// <param name="runOverride">For tests: standard output for arguments, joined by blanks, instead of running the program.</param>
    /// <param name="timeout">Limit of one of its runs; null is an hour.</param>
    /// <param name="kept">Where launches are kept; null for nowhere.</param>
    /// <param name="cancellationToken">Ends the measuring and the program.</param>
    /// <returns>The outcome; a failure is a failed one with its reason, never an exception.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static CaseOutcome Measure(
        PlannedCase planned,
        int launches,
        int iterations,
        RunIdentity run,
        RunEnvironment environment,
        Func<string, string>? runOverride = null,
        TimeSpan? timeout = null,
        KeptLaunches? kept = null,
        CancellationToken cancellationToken = default
    )
    {
        Func<IReadOnlyList<string>, string> bench = runOverride is null
            ? arguments => PipedProgram.Run(planned.BenchProgram!, arguments, timeout ?? s_patience, cancellationToken)
            : arguments => runOverride(string.Join(' ', arguments));
        try
        {
            LlamaBenchRequest request = LlamaBenchRequest.Of(planned, iterations);
            LlamaBenchSession session = new(request, bench);
            LlamaBenchLaunch[] measured =
            [
                .. Enumerable.Range(1, launches).Select(index => Launch(session, index, kept ?? KeptLaunches.None, cancellationToken)),
            ];
            CheckPlace(planned.Key.Provider, measured[0].Prefill);
            return Outcome(planned, measured, run, environment);
        }
        catch (Exception e) when (e is EngineException or IOException or UnauthorizedAccessException)
        {
            return new CaseOutcome
            {
                Case = planned.Key,
                CaseId = planned.CaseId,
                Status = CaseStatus.Failed,
                Error = ProgramText.OneLine(e.Message),
            };
        }
    }

    /// <summary>The outcome of launches that were kept.</summary>
    public static CaseOutcome Read(PlannedCase planned, IReadOnlyList<string> launches, RunIdentity run, RunEnvironment environment) =>
        Outcome(planned, [.. launches.Select(LlamaBenchLaunch.Parse)], run, environment);

    private static LlamaBenchLaunch Launch(LlamaBenchSession session, int index, KeptLaunches kept, CancellationToken cancellationToken)
    {
        if (kept.Find(index) is { } known)
        {
            return LlamaBenchLaunch.Parse(known);
        }

        LlamaBenchLaunch launch = session.Launch(cancellationToken);
        kept.Keep(index, launch.Text);
        return launch;
    }

    // What was asked for is the case. Figures of another place are another case's.
    private static void CheckPlace(string asked, LlamaBenchTest test)
    {
        string place = test.GpuLayers == 0 ? "cpu" : LlamaBenchFamily.Place(Backends(test));
        if (asked != LlamaBenchFamily.ItsOwnChoice && asked != place)
        {
            throw new EngineException(
                $"llama-bench was asked for {asked} and ran on {place}: name a build for {asked} with --llama-bench, or ask for --provider "
                    + $"{place}"
            );
        }
    }

    private static string[] Backends(LlamaBenchTest test) =>
        test.Backends.ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static CaseOutcome Outcome(PlannedCase planned, LlamaBenchLaunch[] launches, RunIdentity run, RunEnvironment environment)
    {
        LlamaBenchTest test = launches[0].Prefill;
        // Where it chose its place itself, that is part of what was measured.
        string place = planned.Key.Provider == LlamaBenchFamily.ItsOwnChoice ? $" on {test.Backends}" : "";
        CaseKey key = planned.Key with { EngineVersions = $"llama.cpp {test.BuildNumber} ({test.BuildCommit}){place}" };
        return new CaseOutcome
        {
            Case = key,
            CaseId = planned.CaseId,
            Status = CaseStatus.Ok,
            Notes = Notes(planned, test, Array.TrueForAll(launches, launch => launch.KnowsDepth)),
            Samples =
            [
                .. from launch in Enumerable.Range(0, launches.Length)
                from iteration in Enumerable.Range(0, launches[launch].Prefill.SamplesNs.Count)
                select ToSample(launches[launch], launch, iteration, key, planned.CaseId, run, environment),
            ],
        };
    }

    private static string[] Notes(PlannedCase planned, LlamaBenchTest test, bool knowsDepth)
    {
        string[] backends = Backends(test);
        string place = LlamaBenchFamily.Place(backends);
        bool isAnotherFormat =
            LlamaBenchModel.PrecisionOf(test.ModelType, planned.ModelPath) is var format
            && !format.StartsWith(planned.Key.Precision, StringComparison.Ordinal);
        return
        [
            OwnDefinitions,
            .. knowsDepth ? [] : new[] { NoDepth },
            .. place != "cpu" && test.GpuInfo.Length == 0 ? [NoGpu] : Array.Empty<string>(),
            .. test.GpuLayers == 0 && place != "cpu"
                ? [$"no layer on a GPU, but a build for {place} may compute long prompts there"]
                : Array.Empty<string>(),
            .. isAnotherFormat ? [$"it calls the weights {format}"] : Array.Empty<string>(),
        ];
    }

    private static Sample ToSample(
        LlamaBenchLaunch launch,
        int launchIndex,
        int iteration,
        CaseKey key,
        string caseId,
        RunIdentity run,
        RunEnvironment environment
    ) =>
        new()
        {
            Run = run,
            Environment = environment,
            Case = key,
            CaseId = caseId,
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
            TpotMs = 1000 / launch.Decode.SamplesTps[iteration],
            Completed = true,
        };
}
