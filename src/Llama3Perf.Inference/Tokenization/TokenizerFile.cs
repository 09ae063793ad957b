using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Llama3Perf.Models;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>A tokenizer.json that was checked, in the form that the tokenizers library is given.</summary>
/// <param name="Json">
/// The file without what surrounds, cuts or fills a text, so that ids are those of the text alone, and with no token marked as special,
/// so that all of them are shown when ids are decoded. Neither changes which ids a text has.
/// </param>
/// <param name="Frame">What the file's post-processor puts around a text.</param>
internal sealed record TokenizerFile(byte[] Json, TokenFrame Frame)
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It is broken.</exception>
    /// <exception cref="NotSupportedException">It has a part that ends the library's process, or gives a text other ids each
    /// time.</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    /// <exception cref="ModelException">It is empty, no regular file, or too large.</exception>
    public static TokenizerFile Read(string path)
    {
        byte[] json = InputFile.ReadBytes(path, InputFile.MaxJsonBytes, "is not JSON");
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("it is no JSON object");
        }

        RefuseNumbers(json);
        RefuseModel(root.Member("model", JsonValueKind.Object));
        foreach (string section in (string[])["normalizer", "pre_tokenizer", "decoder"])
        {
            RefuseSteps(root.Optional(section));
        }

        return new TokenizerFile(Rewrite(root), TokenFrame.Read(root.Optional("post_processor")));
    }

    // The library is built to end its process where it meets a mistake that it does not expect. These are all the kinds that some
    // 10,000 damaged files of six forms led to, and a million of one form.
    private static void RefuseNumbers(ReadOnlySpan<byte> json)
    {
        Utf8JsonReader reader = new(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number && !(reader.TryGetDouble(out double value) && double.IsFinite(value)))
            {
                throw new FormatException(
                    $"it holds the number {Encoding.UTF8.GetString(reader.ValueSpan).OneLine(20)}, which is out of range"
                );
            }
        }
    }

    private static void RefuseModel(JsonElement model)
    {
        if (
            model.Optional("dropout") is { } dropout
            && !(dropout.ValueKind == JsonValueKind.Number && dropout.TryGetDouble(out double rate) && rate == 0)
        )
        {
            throw new NotSupportedException("gives a text other ids each time (dropout)");
        }

        if (
            model.Text("continuing_subword_prefix") is { Length: > 0 } prefix
            && model.Optional("merges") is { ValueKind: JsonValueKind.Array } merges
            && merges.EnumerateArray().Any(merge => !Right(merge).StartsWith(prefix, StringComparison.Ordinal))
        )
        {
            throw new NotSupportedException($"has merges whose second part lacks the continuing_subword_prefix '{prefix}'");
        }
    }

    // Files of before 2024 write "a b", later ones ["a", "b"].
    private static string Right(JsonElement merge) =>
        merge switch
        {
            { ValueKind: JsonValueKind.String } => merge.GetString()!.Split(' ')[^1],
            { ValueKind: JsonValueKind.Array } when merge.GetArrayLength() == 2 && merge[1].ValueKind == JsonValueKind.String => merge[1]
                .GetString()!,
            _ => "",
        };

    private static void RefuseSteps(JsonElement? step)
    {
        if (step is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (JsonElement item in list.EnumerateArray())
            {
                RefuseSteps(item);
            }
        }
        else if (step is { ValueKind: JsonValueKind.Object } part)
        {
            RefuseStep(part);
            foreach (JsonProperty member in part.EnumerateObject())
            {
                RefuseSteps(member.Value);
            }
        }
    }

    private static void RefuseStep(JsonElement step)
    {
        string? reason = step.Optional("type") is { ValueKind: JsonValueKind.String } type
            ? type.GetString() switch
            {
                "Precompiled" when step.Optional("precompiled_charsmap") is not { ValueKind: JsonValueKind.String } =>
                    "a Precompiled normalizer without its table",
                "FixedLength"
                    when step.Optional("length") is { ValueKind: JsonValueKind.Number } length
                        && length.TryGetDouble(out double value)
                        && value == 0 => "pieces of length 0",
                "Strip"
                    when step.Optional("stop") is { ValueKind: JsonValueKind.Number } stop
                        && stop.TryGetDouble(out double value)
                        && value != 0 => "a decoder that strips the end of tokens",
                "Replace"
                    when step.Optional("pattern")?.Optional("Regex") is { ValueKind: JsonValueKind.String } regex
                        && MatchesNothing(regex.GetString()!) => "a Replace whose pattern matches where there is nothing",
                _ => null,
            }
            : null;
        if (reason is not null)
        {
            throw new NotSupportedException($"has {reason}");
        }
    }

    // What .NET cannot read is left to the library, which knows other forms.
    private static bool MatchesNothing(string pattern)
    {
        try
        {
            return Regex.IsMatch("", pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (Exception exception) when (exception is ArgumentException or RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static byte[] Rewrite(JsonElement root)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartObject();
            foreach (JsonProperty member in root.EnumerateObject())
            {
                writer.WritePropertyName(member.Name);
                if (member.Name is "post_processor" or "truncation" or "padding")
                {
                    writer.WriteNullValue();
                }
                else if (member is { Name: "added_tokens", Value.ValueKind: JsonValueKind.Array })
                {
                    WriteAdded(writer, member.Value);
                }
                else
                {
                    writer.WriteRawValue(member.Value.GetRawText(), skipInputValidation: true);
                }
            }

            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void WriteAdded(Utf8JsonWriter writer, JsonElement tokens)
    {
        writer.WriteStartArray();
        foreach (JsonElement token in tokens.EnumerateArray())
        {
            if (token.ValueKind != JsonValueKind.Object)
            {
                throw new FormatException("an added token is no object");
            }

            writer.WriteStartObject();
            foreach (JsonProperty member in token.EnumerateObject().Where(member => member.Name != "special"))
            {
                member.WriteTo(writer);
            }

            writer.WriteBoolean("special", false);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
