using Llama3Perf.Results.Rows;
using static Llama3Perf.Results.Schema.Column;

namespace Llama3Perf.Results.Schema;

/// <summary>Columns that define a case.</summary>
internal static class CaseColumns
{
    /// <summary>Columns of <see cref="CaseKey"/>; all are keys.</summary>
    public static IReadOnlyList<Column<CaseKey>> All { get; } =
    [
        Key("engine", (CaseKey c) => c.Engine, Cells.Text),
        Key("engine_versions", (CaseKey c) => c.EngineVersions, Cells.OptionalText, since: 2),
        Key("engine_options", (CaseKey c) => c.EngineOptions, Cells.OptionalText, since: 3, absent: "default"),
        Key("build_configuration", (CaseKey c) => c.BuildConfiguration, Cells.OptionalText, since: 3, absent: "Release"),
        Key("provider", (CaseKey c) => c.Provider, Cells.Text),
        Key("device", (CaseKey c) => c.Device, Cells.OptionalText),
        Key("model_name", (CaseKey c) => c.ModelName, Cells.Text),
        Key("model_sha256", (CaseKey c) => c.ModelSha256, Cells.OptionalText),
        Key("weights", (CaseKey c) => c.Weights, Cells.Weights),
        Key("hidden_size", (CaseKey c) => c.HiddenSize, Cells.OptionalCount),
        Key("num_layers", (CaseKey c) => c.LayerCount, Cells.OptionalCount),
        Key("vocab_size", (CaseKey c) => c.VocabularySize, Cells.OptionalCount),
        Key("precision", (CaseKey c) => c.Precision, Cells.Text),
        Key("block_size", (CaseKey c) => c.BlockSize, Cells.OptionalCount),
        Key("prompt_id", (CaseKey c) => c.PromptId, Cells.Text),
        Key("prompt_sha256", (CaseKey c) => c.PromptSha256, Cells.OptionalText),
        Key("chat_template", (CaseKey c) => c.ChatTemplate, Cells.Text),
        Key("n_prompt", (CaseKey c) => c.PromptTokens, Cells.OptionalCount, heading: new("prompt", 6)),
        Key("max_length", (CaseKey c) => c.MaxLength, Cells.Count),
        Key("threads", (CaseKey c) => c.Threads, Cells.OptionalCount),
    ];

    /// <summary>A key whose columns are still to be set.</summary>
    public static CaseKey Blank() =>
        new()
        {
            Engine = "",
            Provider = "",
            ModelName = "",
            Weights = "",
            Precision = "",
            PromptId = "",
            ChatTemplate = "",
            MaxLength = 0,
        };
}
