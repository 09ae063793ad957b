using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
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
    private Exception? _broken;

    /// <exception cref="UsageException">Two cases are the same, or <c>--case</c> names none.</exception>
    /// <exception cref="ModelException">No model can be opened; the first one's reason.</exception>
    public IReadOnlyList<PlannedCase> Plan(IEnumerable<EngineChoice> engines)
    {
        (EngineFamily Family, CaseSubject Subject)[] found =
        [
            .. from choice in engines
            from model in _options.Models
            from subject in SubjectsOf(choice, model)
            select (choice.Family, subject),
        ];
        CaseSubject[] subjects = Array.ConvertAll(found, pair => pair.Subject);
        if (_broken is not null && Array.TrueForAll(subjects, subject => subject.IsBroken))
        {
            ExceptionDispatchInfo.Throw(_broken);
        }

        (EngineFamily Family, CaseSubject Subject, PlannedCase Planned)[] all =
        [
            .. from pair in found
            from planned in Cases(pair.Subject, TokenizerOf(pair.Subject, subjects))
            select (pair.Family, pair.Subject, planned),
        ];
        PlannedCase[] cases = Array.ConvertAll(all, pair => pair.Planned);
        if (cases.GroupBy(planned => planned.CaseId).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new UsageException(
                $"two cases are named {twice.Key}: name each model, prompt and length once, and give folders different names"
            );
        }

        if (_options.Cases?.FirstOrDefault(id => !Array.Exists(cases, planned => planned.CaseId == id)) is { } unknown)
        {
            throw new UsageException($"--case: there is no '{unknown}' among {string.Join(", ", cases.Select(planned => planned.CaseId))}");
        }

        CaseVerification verification = new(context);
        return
        [
            .. from pair in all
            where _options.Cases?.Contains(pair.Planned.CaseId) != false
            select pair.Planned.IsRunnable
                ? Verified(pair.Planned, verification.Of(pair.Subject, pair.Planned, subjects, pair.Family))
                : pair.Planned,
        ];
    }

    private CaseSubject[] SubjectsOf(EngineChoice choice, string model)
    {
        try
        {
            // What has no threads of ours is one subject, however many numbers were asked for.
            return
            [
                .. context.ByThreads.SelectMany(
                    (threads, i) =>
                        choice
                            .Family.Subjects(choice.Engine, choice.Provider, model, threads)
                            .Where(subject => i == 0 || subject.EngineOptions.Threads is not null)
                ),
            ];
        }
        catch (Exception exception) when (exception is ModelException or EngineException or IOException or UnauthorizedAccessException)
        {
            // One bad model does not stop the others.
            _broken ??= exception;
            return [CaseSubject.Broken(choice, model, exception, context)];
        }
    }

    private static PlannedCase Verified(PlannedCase planned, VerificationOutcome outcome) =>
        planned with
        {
            Verification = outcome,
            Failure = outcome.Status == VerificationStatus.Failed ? $"verification failed: {outcome.Detail}" : null,
        };

    // Where an engine has no tokenizer of its own its prompts are as long as those of the engines beside it.
    private static PromptTokenizer? TokenizerOf(CaseSubject subject, CaseSubject[] all) =>
        subject.Tokenizer ?? all.FirstOrDefault(other => other.Model == subject.Model && other.Tokenizer is not null)?.Tokenizer;

    private IEnumerable<PlannedCase> Cases(CaseSubject subject, PromptTokenizer? tokenizer)
    {
        IEnumerable<PlannedCase> cases =
            from text in _options.Prompts
            let prompt = Prompt.Parse(text)
            from template in _options.TemplatesOf(prompt)
            let tokens = tokenizer?.Tokenize(prompt, _options.PromptForm(template, tokenizer.Folder))
            let tokenizeMs = prompt.TokenCount is null && tokenizer is not null ? TokenizeMs(tokenizer, prompt, template) : (double?)null
            let count = tokens?.TokenIds.Length ?? prompt.TokenCount
            from maxLength in _options.MaxLengths ?? [DefaultMaxLength(count)]
            select Case(subject, prompt, text, KeyOf(subject, prompt, template, tokens, count, maxLength), tokens) with
            {
                TokenizeMs = tokenizeMs,
            };
        // To an engine that draws its own tokens two prompts of one length are the same.
        return subject.DrawsOwnTokens ? cases.DistinctBy(planned => planned.CaseId) : cases;
    }

    // The second time: the first one makes the tokenizer ready.
    private double TokenizeMs(PromptTokenizer tokenizer, Prompt prompt, string template)
    {
        long start = Stopwatch.GetTimestamp();
        _ = tokenizer.Tokenize(prompt, _options.PromptForm(template, tokenizer.Folder));
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private CaseKey KeyOf(CaseSubject subject, Prompt prompt, string template, TokenizedPrompt? tokens, int? count, int maxLength) =>
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
            ChatTemplate = subject.DrawsOwnTokens ? "none" : template,
            PromptTokens = count,
            MaxLength = maxLength,
            Threads = subject.EngineOptions.Threads,
        };

    private PlannedCase Case(CaseSubject subject, Prompt prompt, string asked, CaseKey key, TokenizedPrompt? tokens)
    {
        // Before a model is built nothing counts the tokens of a text.
        bool isCounted = key.PromptTokens is not null || !_options.DryRun;
        string? skip = subject.IsBroken
            ? null
            : subject.Skip
                ?? (
                    subject.TakesText ? WhyNoText(key, prompt)
                    : isCounted ? WhyNot(key, subject.ContextLength)
                    : null
                );
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
            WeightBytesPerToken = subject.WeightBytesPerToken,
            CacheBytesPerToken = subject.CacheBytesPerToken,
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
