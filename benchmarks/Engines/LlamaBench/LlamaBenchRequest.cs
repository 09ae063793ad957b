using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>What llama-bench is asked to measure, and the command lines for it.</summary>
/// <param name="Gguf">The model's file.</param>
/// <param name="PromptTokens">Prompt tokens, at least 1.</param>
/// <param name="NewTokens">New tokens, at least 1.</param>
/// <param name="Iterations">Repetitions of each test.</param>
/// <param name="Options">Threads, or null for its own choice, and the GPU, or null for all of them.</param>
/// <param name="OnCpu">True keeps every layer off a GPU that is there.</param>
internal sealed record LlamaBenchRequest(string Gguf, int PromptTokens, int NewTokens, int Iterations, EngineOptions Options, bool OnCpu)
{
    /// <summary>What measures a case.</summary>
    public static LlamaBenchRequest Of(PlannedCase planned, int iterations)
    {
        int prompt = planned.Key.PromptTokens ?? throw new EngineException($"{planned.CaseId}: the number of prompt tokens is not known");
        return new LlamaBenchRequest(
            planned.ModelPath,
            prompt,
            planned.Key.MaxLength - prompt,
            iterations,
            planned.EngineOptions,
            planned.Key.Provider == "cpu"
        );
    }

    /// <summary>The prompt alone.</summary>
    public IReadOnlyList<string> Prefill => [.. Common, "-p", $"{PromptTokens}", "-n", "0"];

    /// <summary>New tokens after as many tokens as the prompt has.</summary>
    public IReadOnlyList<string> Decode => [.. DecodeFromNothing, "-d", $"{PromptTokens}"];

    /// <summary>New tokens from an empty context, for versions that know nothing else.</summary>
    public IReadOnlyList<string> DecodeFromNothing => [.. Common, "-p", "0", "-n", $"{NewTokens}"];

    private string[] Common =>
        [
            "-m",
            Gguf,
            "-r",
            $"{Iterations}",
            "-o",
            "json",
            .. Options.Threads is { } threads ? ["-t", $"{threads}"] : Array.Empty<string>(),
            .. OnCpu ? ["-ngl", "0"] : Array.Empty<string>(),
            .. Options.Device is { } device ? ["-sm", "none", "-mg", device] : Array.Empty<string>(),
        ];
}
