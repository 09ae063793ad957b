using System.Globalization;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Files;

/// <summary>What cases differ in, in the few words that people read.</summary>
/// <param name="Name">Heading of its column.</param>
/// <param name="Text">A case's text; empty where the usual goes unsaid.</param>
/// <param name="Without">The case without it and what follows from it: equal ones differ in nothing else.</param>
internal sealed record CaseField(string Name, Func<CaseKey, string> Text, Func<CaseKey, CaseKey> Without)
{
    private const int UsualBlock = 32;

    public static CaseField Model { get; } =
        new(
            "model",
            key => key.ModelName,
            key => key with { ModelName = "", ModelSha256 = null, HiddenSize = null, LayerCount = null, VocabularySize = null }
        );

    public static CaseField Precision { get; } =
        new(
            "precision",
            key => key.BlockSize is null or UsualBlock ? key.Precision : Invariant($"{key.Precision}-b{key.BlockSize}"),
            key => key with { Precision = "", BlockSize = null, ModelSha256 = null }
        );

    public static CaseField Engine { get; } =
        new("engine", key => key.Engine, key => key with { Engine = "", EngineVersions = null, EngineOptions = null, ModelSha256 = null });

    public static CaseField Provider { get; } =
        new(
            "provider",
            key => key.Provider,
            key => key with { Provider = "", Device = null, ModelSha256 = null, Threads = null, EngineOptions = null }
        );

    public static CaseField Prompt { get; } =
        new(SummaryTable.Prompt.Header, key => key.PromptId, key => key with { PromptId = "", PromptSha256 = null, PromptTokens = null });

    public static CaseField Threads { get; } =
        new("threads", key => key.Threads is { } threads ? Invariant($"{threads}") : "", key => key with { Threads = null });

    /// <summary>A case's text where no heading says what it is.</summary>
    public string Named(CaseKey key) =>
        Text(key) is { Length: > 0 } text && this == Threads ? $"{text} thread{(text == "1" ? "" : "s")}" : Text(key);

    /// <summary>Prompt and new tokens together: it follows from the prompt unless several were asked for, and then tells cases
    /// apart.</summary>
    public static CaseField Length { get; } = new("length", key => Invariant($"l{key.MaxLength}"), key => key with { MaxLength = 0 });

    /// <summary>All of them but <see cref="Length"/>, in the order of their columns.</summary>
    public static IReadOnlyList<CaseField> All { get; } =
    [
        Model,
        Precision,
        Engine,
        Provider,
        new("device", key => key.Device ?? "", key => key with { Device = null }),
        new("options", key => key.EngineOptions ?? "", key => key with { EngineOptions = null }),
        Threads,
        new(
            "build",
            key => key.BuildConfiguration is null or "Release" ? "" : key.BuildConfiguration,
            key => key with { BuildConfiguration = null }
        ),
        new("template", key => key.ChatTemplate == "none" ? "" : key.ChatTemplate, key => key with { ChatTemplate = "" }),
        Prompt,
    ];

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
