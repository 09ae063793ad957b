using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>One launch: both tests, with as many repetitions.</summary>
/// <param name="StartUtc">Just before the first program was started.</param>
/// <param name="Prefill">The prompt alone.</param>
/// <param name="Decode">The new tokens alone.</param>
/// <param name="KnowsDepth">False where the program measures new tokens from an empty context.</param>
internal sealed record LlamaBenchLaunch(DateTimeOffset StartUtc, LlamaBenchTest Prefill, LlamaBenchTest Decode, bool KnowsDepth)
{
    private static readonly JsonSerializerOptions s_strict = new() { RespectNullableAnnotations = true };

    /// <summary>As it is kept while the run is not complete.</summary>
    [JsonIgnore]
    public string Text => JsonSerializer.Serialize(this);

    /// <summary>Reads what <see cref="Text"/> gave.</summary>
    /// <exception cref="EngineException">It is something else.</exception>
    public static LlamaBenchLaunch Parse(string text)
    {
        try
        {
            return
                JsonSerializer.Deserialize<LlamaBenchLaunch>(text, s_strict) is { Prefill: { } prefill, Decode: { } decode } launch
                && (prefill.SamplesNs.Count, prefill.SamplesTps.Count) == (decode.SamplesNs.Count, decode.SamplesTps.Count)
                && prefill.SamplesNs.Count == prefill.SamplesTps.Count
                ? launch
                : throw new JsonException("it lacks its tests");
        }
        catch (JsonException exception)
        {
            throw new EngineException($"a launch of llama-bench that was kept cannot be read: {exception.Message}", exception);
        }
    }
}

/// <summary>Runs the launches of a case. Whether the program knows a depth is asked once.</summary>
internal sealed partial class LlamaBenchSession(LlamaBenchRequest request, Func<IReadOnlyList<string>, string> bench)
{
    /// <summary>False once the program has refused one.</summary>
    public bool KnowsDepth { get; private set; } = true;

    /// <summary>One launch.</summary>
    /// <exception cref="EngineException">The program failed, or measured something else than it was asked for.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public LlamaBenchLaunch Launch(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        DateTimeOffset start = DateTimeOffset.UtcNow;
        LlamaBenchTest prefill = Test(bench(request.Prefill), request.PromptTokens, 0, 0);
        cancellationToken.ThrowIfCancellationRequested();
        LlamaBenchTest decode = Decode();
        return prefill.BuildCommit == decode.BuildCommit
            ? new LlamaBenchLaunch(start, prefill, decode, KnowsDepth)
            : throw new EngineException(
                $"llama-bench changed from build {prefill.BuildCommit} to {decode.BuildCommit} while it was measured"
            );
    }

    private LlamaBenchTest Decode()
    {
        if (KnowsDepth)
        {
            try
            {
                return Test(bench(request.Decode), 0, request.NewTokens, request.PromptTokens);
            }
            catch (EngineException e) when (RefusedDepth().IsMatch(e.Message))
            {
                KnowsDepth = false;
            }
        }

        return Test(bench(request.DecodeFromNothing), 0, request.NewTokens, 0);
    }

    private LlamaBenchTest Test(string json, int promptTokens, int newTokens, int depth)
    {
        IReadOnlyList<LlamaBenchTest> tests = LlamaBenchReport.Parse(json);
        if (tests is not [{ } test])
        {
            throw new EngineException($"llama-bench reports {tests.Count} tests instead of one");
        }

        if ((test.PromptTokens, test.NewTokens, test.Depth ?? depth) != (promptTokens, newTokens, depth))
        {
            throw new EngineException(
                $"llama-bench measured {test.PromptTokens} prompt and {test.NewTokens} new tokens at depth {test.Depth ?? 0} instead of "
                    + $"{promptTokens} and {newTokens} at depth {depth}"
            );
        }

        return test.SamplesNs.Count == request.Iterations
            ? test
            : throw new EngineException($"llama-bench reports {test.SamplesNs.Count} repetitions instead of {request.Iterations}");
    }

    // Only a refused argument: "failed to run depth" is a depth that it knows and could not do, and an empty context is no answer to that.
    [GeneratedRegex(
        @"ended with exit code -?\d+: .*((?<![\w-])(-d|--n-depth)(?![\w-])|(invalid|unknown|unrecognized|unsupported).*\bdepth\b)",
        RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex RefusedDepth();
}
