using System.Text.Json;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>Members of a tokenizer.json; one of another kind than it should have is a <see cref="FormatException"/> that names
/// it.</summary>
internal static class TokenizerJson
{
    extension(JsonElement element)
    {
        /// <summary>A member that must be there.</summary>
        public JsonElement Member(string name, JsonValueKind kind) =>
            element.Optional(name) is { } value && value.ValueKind == kind
                ? value
                : throw new FormatException($"'{name}' is missing or no {kind}");

        /// <summary>A member; null when it is absent, null, or this is no object.</summary>
        public JsonElement? Optional(string name) =>
            element.ValueKind == JsonValueKind.Object
            && element.TryGetProperty(name, out JsonElement value)
            && value.ValueKind != JsonValueKind.Null
                ? value
                : null;

        /// <summary>A text that may be absent.</summary>
        public string? Text(string name) => element.Optional(name) is null ? null : element.Member(name, JsonValueKind.String).GetString();

        /// <summary>A yes or no that may be absent.</summary>
        public bool Flag(string name, bool absent = false) =>
            element.Optional(name) switch
            {
                null => absent,
                { ValueKind: JsonValueKind.True } => true,
                { ValueKind: JsonValueKind.False } => false,
                _ => throw new FormatException($"'{name}' is neither true nor false"),
            };

        /// <summary>A number from 0 on.</summary>
        public int TokenId() =>
            element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int id) && id >= 0
                ? id
                : throw new FormatException($"{element.GetRawText()} is no token id");
    }
}
