using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>An engine that a run measures.</summary>
/// <param name="Family">Its family.</param>
/// <param name="Engine">Its name, as it was asked for.</param>
/// <param name="Provider">Where it runs; null leaves that to its own program.</param>
internal sealed record EngineChoice(EngineFamily Family, string Engine, ExecutionProvider? Provider);

/// <summary>Works out every case of a run and why some of them cannot run, and has the model folders made that they need.</summary>
internal sealed class CasePlanner(PlanContext context)
{
    private readonly SuiteOptions _options = context.Options;

    /// <exception cref="UsageException">Two cases are the same, or <c>--case</c> names none.</exception>
    public IReadOnlyList<PlannedCase> Plan(IEnumerable<EngineChoice> engines)
    {
        CaseSubject[] subjects =
        [
            .. from choice in engines
            from model in _options.Models
            from subject in choice.Family.Subjects(choice.Engine, choice.Provider, model, context)
            select subject,
        ];
        PlannedCase[] cases = [.. subjects.SelectMany(subject => Cases(subject, TokenizerOf(subject, subjects)))];
        if (cases.GroupBy(planned => planned.CaseId).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new UsageException(
                $"two cases are named {twice.Key}: name each model, prompt and length once, and give folders different names"
            );
        }

        if (_options.Cases is not { } wanted)
        {
            return cases;
        }

        return wanted.FirstOrDefault(id => !Array.Exists(cases, planned => planned.CaseId == id)) is { } unknown
            ? throw new UsageException(
                $"--case: there is no '{unknown}' among {string.Join(", ", cases.Select(planned => planned.CaseId))}"
            )
            : [.. cases.Where(planned => wanted.Contains(planned.CaseId))];
    }

    // Where an engine has no tokenizer of its own its prompts are as long as those of the engines beside it.
    private static PromptTokenizer? TokenizerOf(CaseSubject subject, CaseSubject[] all) =>
        subject.Tokenizer ?? all.FirstOrDefault(other => other.Model == subject.Model && other.Tokenizer is not null)?.Tokenizer;

    private IEnumerable<PlannedCase> Cases(CaseSubject subject, PromptTokenizer? tokenizer)
    {
        IEnumerable<PlannedCase> cases =
            from text in _options.Prompts
            let prompt = Prompt.Parse(text)
            let tokens = tokenizer?.Tokenize(prompt, _options.PromptForm(tokenizer.Folder))
            let tokenizeMs = prompt.TokenCount is null && tokenizer is not null ? TokenizeMs(tokenizer, prompt) : (double?)null
            let count = tokens?.TokenIds.Length ?? prompt.TokenCount
            from maxLength in _options.MaxLengths ?? [DefaultMaxLength(count)]
            select Case(subject, prompt, text, KeyOf(subject, prompt, tokens, count, maxLength), tokens) with
            {
                TokenizeMs = tokenizeMs,
            };
        // To an engine that draws its own tokens two prompts of one length are the same.
        return subject.DrawsOwnTokens ? cases.DistinctBy(planned => planned.CaseId) : cases;
    }

    // The second time: the first one makes the tokenizer ready.
    private double TokenizeMs(PromptTokenizer tokenizer, Prompt prompt)
    {
        long start = Stopwatch.GetTimestamp();
        _ = tokenizer.Tokenize(prompt, _options.PromptForm(tokenizer.Folder));
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private CaseKey KeyOf(CaseSubject subject, Prompt prompt, TokenizedPrompt? tokens, int? count, int maxLength) =>
        new()
        {
            Engine = subject.Engine,
            EngineOptions = subject.OptionsText,
            BuildConfiguration = Workspace.IsOptimized ? "Release" : "Debug",
            Provider = subject.Provider,
            Device = subject.Device,
            ModelName = subject.ModelName,
            ModelSha256 = subject.Sha256,
            Weights = subject.IsReal ? "real" : "synthetic",
            HiddenSize = subject.HiddenSize,
            LayerCount = subject.LayerCount,
            VocabularySize = subject.VocabularySize,
            Precision = subject.Precision,
            BlockSize = subject.BlockSize,
            PromptId = subject.DrawsOwnTokens && count is { } drawn ? $"pp{drawn}" : prompt.Id,
            PromptSha256 = subject.DrawsOwnTokens ? null : tokens?.Sha256,
            ChatTemplate = subject.DrawsOwnTokens ? "none" : _options.ChatTemplate,
            PromptTokens = count,
            MaxLength = maxLength,
            Threads = subject.EngineOptions.Threads,
        };

    private PlannedCase Case(CaseSubject subject, Prompt prompt, string asked, CaseKey key, TokenizedPrompt? tokens)
    {
        string? skip = subject.Skip ?? (subject.TakesText ? WhyNoText(key, prompt) : WhyNot(key, subject.ContextLength));
        return new PlannedCase
        {
            // Without a tokenizer the text itself tells apart what its shortened form does not.
            CaseId = key.PromptTokens is null
                ? $"{CaseId.For(key)}/{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(asked)))[..6]}"
                : CaseId.For(key),
            Key = key,
            SkipReason = skip,
            Failure = skip is null ? subject.Failure : null,
            ModelPath = subject.Path,
            EngineOptions = subject.EngineOptions,
            Peer = skip is null ? subject.Peer?.Invoke(key.MaxLength) : null,
            BenchProgram = subject.BenchProgram,
            PromptText = tokens?.Text ?? (subject.TakesText ? prompt.Text : null),
            PromptTokens = tokens?.TokenIds ?? [],
            KeepModelLoaded = _options.Isolation == Isolation.None,
        };
    }

    private static string? WhyNoText(CaseKey key, Prompt prompt) =>
        prompt.TokenCount is not null ? $"{key.Engine} takes texts, and {prompt.Id} is made of token ids" : null;

    private static string? WhyNot(CaseKey key, int? contextLength) =>
        key.PromptTokens switch
        {
            null =>
                $"{key.Engine} takes a number of tokens, and nothing here counts those of a text; take ppN as the prompt, or a checkpoint "
                    + "or model folder as the model",
            { } tokens when key.MaxLength <= tokens =>
                $"the prompt has {tokens} tokens and --max-length {key.MaxLength} leaves no room for new ones",
            _ when key.MaxLength > contextLength => $"--max-length {key.MaxLength} is above the model's context of {contextLength}",
            _ => null,
        };

    // The article's figure, and for longer prompts as many new tokens as it had.
    private int DefaultMaxLength(int? promptTokens) =>
        _options.NewTokens is { } newTokens ? (promptTokens ?? 0) + newTokens
        : promptTokens is > 143 - 16 and var tokens ? tokens + 128
        : 143;
}
