using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Running.LlamaBench;

/// <summary>The cases of llama.cpp in a run: as long as those of the other engines, or why there are none.</summary>
internal sealed class LlamaBenchRuns(SuiteOptions options)
{
    private const string HowToGet = "build llama.cpp and put it there, or name it with --llama-bench";

    /// <summary>True where llama.cpp was asked for.</summary>
    public bool IsWanted => options.LlamaCpp || options.LlamaBench is not null;

    /// <summary>Measures after BenchmarkDotNet is done, one case after the other.</summary>
    public IReadOnlyList<CaseOutcome> Measure(IReadOnlyList<PlannedCase> others, RunIdentity run, RunEnvironment environment)
    {
        if (!IsWanted)
        {
            return [];
        }

        string? program = LlamaBenchProgram.Find(options.LlamaBench);
        string? gguf = options.Gguf ?? options.Models.Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFiles(folder, "*.gguf").Order(StringComparer.Ordinal)).FirstOrDefault();
        string? missing = (program, gguf) switch
        {
            (null, _) when options.LlamaBench is { } given => $"{given} is no program",
            (null, _) => $"no llama-bench on the PATH; {HowToGet}",
            (_, null) => "llama.cpp reads .gguf files, and there is none in the checkpoint's folder; convert the checkpoint with llama.cpp's convert_hf_to_gguf.py, or name a file with --gguf",
            _ => File.Exists(gguf) ? null : $"the file {gguf} is not there",
        };
        return [.. Lengths(others).Select(length => missing is null ? Measured(program!, gguf!, length, run, environment) : Skipped(length, missing))];
    }

    private CaseOutcome Measured(string program, string gguf, (int Prompt, int Max) length, RunIdentity run, RunEnvironment environment)
    {
        Console.Write($"llama.cpp pp{length.Prompt} + {length.Max - length.Prompt}  ");
        CaseOutcome outcome = LlamaBenchCase.Measure(
            program, gguf, length.Prompt, length.Max - length.Prompt, options.Threads, options.Launches, options.Iterations, run, environment);
        Console.WriteLine(outcome.Status == CaseStatus.Ok ? FormattableString.Invariant($"{outcome.Samples.Average(sample => sample.DecodeTps):0.0} tok/s") : "failed");
        return outcome;
    }

    /// <summary>Prompt and max length of the other engines' cases; without such cases, of the prompts whose length needs no tokenizer.</summary>
    private (int Prompt, int Max)[] Lengths(IReadOnlyList<PlannedCase> others)
    {
        (int Prompt, int Max)[] same = [.. others.Where(other => other.Key.PromptTokens is not null).Select(other => (other.Key.PromptTokens!.Value, other.Key.MaxLength)).Distinct()];
        return same.Length > 0
            ? same
            :
            [
                .. from prompt in options.Prompts.Select(Prompt.Parse)
                   let tokens = prompt.TokenCount ?? 1
                   from max in options.MaxLengths ?? [tokens + 128]
                   select (tokens, max),
            ];
    }

    private static CaseOutcome Skipped((int Prompt, int Max) length, string reason)
    {
        CaseKey key = new()
        {
            Engine = LlamaBenchCase.Engine,
            Provider = "cpu",
            ModelName = "unknown",
            Weights = "real",
            Precision = "unknown",
            PromptId = $"pp{length.Prompt}",
            ChatTemplate = "none",
            PromptTokens = length.Prompt,
            MaxLength = length.Max,
        };
        return new CaseOutcome { Case = key, CaseId = CaseId.For(key), Status = CaseStatus.Skipped, Error = reason };
    }
}
