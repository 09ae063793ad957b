using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Works out every case of a run and why some of them cannot run, and makes the model folders that they need.</summary>
internal sealed class CasePlanner(SuiteOptions options, ModelPreparation models)
{
    private readonly List<PlannedCase> _cases = [];

    private readonly CaseEngineOptions _engineOptions = new(options);
    private readonly FolderSubjects _folders = new(options, models);
    private readonly PeerSubjects _peers = new(options, models);

    public IReadOnlyList<PlannedCase> Plan()
    {
        foreach ((string engine, ExecutionProvider provider) in EngineChoice.Of(options))
        {
            foreach (string model in options.Models)
            {
                foreach (CaseSubject subject in PeerCatalog.Owns(engine) ? _peers.Of(engine, provider, model) : _folders.Of(engine, provider, model))
                {
                    PlanPrompts(subject);
                }
            }
        }

        if (_cases.GroupBy(planned => planned.CaseId).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new UsageException($"two cases are named {twice.Key}: name each model, prompt and length once, and give folders different names");
        }

        if (options.Cases is not { } wanted)
        {
            return _cases;
        }

        return wanted.FirstOrDefault(id => !_cases.Exists(planned => planned.CaseId == id)) is { } unknown
            ? throw new UsageException($"--case: there is no '{unknown}' among {string.Join(", ", _cases.Select(planned => planned.CaseId))}")
            : [.. _cases.Where(planned => wanted.Contains(planned.CaseId))];
    }

    private void PlanPrompts(CaseSubject subject)
    {
        foreach (string text in options.Prompts)
        {
            Prompt prompt = Prompt.Parse(text);
            TokenizedPrompt? tokens = subject.Tokenizer?.Tokenize(prompt, options.PromptForm);
            foreach (int maxLength in options.MaxLengths ?? [DefaultMaxLength(tokens?.TokenIds.Length ?? prompt.TokenCount)])
            {
                _cases.Add(Case(subject, prompt, tokens, maxLength, subject.Skip ?? WhyNot(subject, tokens!, maxLength)));
            }
        }
    }

    private PlannedCase Case(CaseSubject subject, Prompt prompt, TokenizedPrompt? tokens, int maxLength, string? skip)
    {
        string provider = subject.Provider.ToString().ToLowerInvariant();
        EngineOptions engineOptions = _engineOptions.On(subject.Provider);
        CaseKey key = new()
        {
            Engine = subject.Engine,
            Provider = provider,
            Device = _engineOptions.DeviceName,
            ModelName = subject.ModelName,
            ModelSha256 = subject.Sha256,
            Weights = subject.IsReal ? "real" : "synthetic",
            HiddenSize = subject.HiddenSize,
            LayerCount = subject.LayerCount,
            VocabularySize = subject.VocabularySize,
            Precision = subject.Precision.ToString().ToLowerInvariant(),
            BlockSize = subject.BlockSize,
            PromptId = prompt.Id,
            PromptSha256 = tokens?.Sha256,
            ChatTemplate = options.ChatTemplate,
            PromptTokens = tokens?.TokenIds.Length,
            MaxLength = maxLength,
            Threads = engineOptions.Threads,
        };
        return new PlannedCase
        {
            Parameters = new CaseParameters(key.ModelName, subject.Engine, provider, subject.Label, prompt.Id, maxLength),
            CaseId = CaseId.For(key),
            Key = key,
            SkipReason = skip,
            Failure = skip is null ? subject.Failure : null,
            ModelFolder = subject.Path,
            EngineOptions = engineOptions,
            Peer = skip is null ? subject.Peer?.Invoke(maxLength) : null,
            PromptText = tokens?.Text,
            PromptTokens = tokens?.TokenIds ?? [],
        };
    }

    private static string? WhyNot(CaseSubject subject, TokenizedPrompt tokens, int maxLength)
    {
        if (maxLength <= tokens.TokenIds.Length)
        {
            return $"the prompt has {tokens.TokenIds.Length} tokens and --max-length {maxLength} leaves no room for new ones";
        }

        return maxLength > subject.ContextLength ? $"--max-length {maxLength} is above the model's context of {subject.ContextLength}" : null;
    }

    // The article's figure, and for longer prompts as many new tokens as it had.
    private int DefaultMaxLength(int? promptTokens) => options.NewTokens is { } newTokens
        ? (promptTokens ?? 0) + newTokens
        : promptTokens is > 143 - 16 and var tokens ? tokens + 128 : 143;
}
