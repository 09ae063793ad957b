using System.Text.Json;
using System.Text.Unicode;

namespace Llama3Perf.Models.Files;

/// <summary>A value of a JSON file that knows where it stands, so that a missing or mistyped key is one line that names it.</summary>
/// <param name="File">Path of the file.</param>
/// <param name="Key">Dotted path of the value, empty for the root.</param>
/// <param name="Element">The value.</param>
internal readonly record struct JsonField(string File, string Key, JsonElement Element)
{
    /// <summary>The required value under <paramref name="key"/>.</summary>
    /// <exception cref="ModelException">It is missing or null.</exception>
    public JsonField this[string key] => Find(key) ?? throw new ModelException($"{File}: {Join(key)} is missing.");

    /// <summary>Reads a file whose root is an object.</summary>
    /// <exception cref="ModelException">The file is missing, unreadable, larger than <see cref="InputFile.MaxJsonBytes"/> or not a JSON
    /// object.</exception>
    public static JsonField ReadFile(string file)
    {
        try
        {
            using FileStream stream = InputFile.Open(file, InputFile.MaxJsonBytes, "is not JSON");
            return Read(file, stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{file} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a stream whose root is an object; <paramref name="file"/> is what messages call it.</summary>
    public static JsonField Read(string file, Stream stream)
    {
        try
        {
            using var copy = new MemoryStream();
            stream.CopyTo(copy);

            // The parser leaves the inside of strings unchecked until they are read.
            if (!Utf8.IsValid(copy.GetBuffer().AsSpan(0, (int)copy.Length)))
            {
                throw new ModelException($"{file} is not JSON: it is not UTF-8.");
            }

            copy.Position = 0;
            using var document = JsonDocument.Parse(copy);
            var root = new JsonField(file, "", document.RootElement.Clone());
            return root.Element.ValueKind == JsonValueKind.Object ? root : throw new ModelException($"{file} is not a JSON object.");
        }
        catch (JsonException e)
        {
            throw new ModelException($"{file} is not JSON: {Shown.Text(e.Message.OneLine())}", e);
        }
    }

    /// <summary>The value under <paramref name="key"/>, or null when it is missing or null.</summary>
    public JsonField? Find(string key)
    {
        if (Element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("an object");
        }

        try
        {
            return Element.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null
                ? new JsonField(File, Join(key), value)
                : null;
        }
        catch (InvalidOperationException)
        {
            // As in Text, here in a key beside the one that is sought.
            throw Wrong("an object whose keys are valid Unicode");
        }
    }

    /// <summary>A whole number from <paramref name="minimum"/> to int.MaxValue.</summary>
    public int Integer(int minimum = 1) =>
        Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out int value) && value >= minimum
            ? value
            : throw Wrong($"a whole number of at least {minimum}");

    /// <summary>A finite number above zero.</summary>
    public double Positive() =>
        Element.ValueKind == JsonValueKind.Number && Element.TryGetDouble(out double value) && double.IsFinite(value) && value > 0
            ? value
            : throw Wrong("a number above 0");

    /// <summary>A string.</summary>
    public string Text()
    {
        try
        {
            return Element.ValueKind == JsonValueKind.String ? Element.GetString()! : throw Wrong("a string");
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: JSON allows the escape, .NET strings from it do not exist.
            throw Wrong("a string of valid Unicode");
        }
    }

    /// <summary>true or false.</summary>
    public bool Boolean() =>
        Element.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong("true or false"),
        };

    /// <summary>A token id; null for -1, which older tools write where there is none.</summary>
    public int? TokenId() => Integer(minimum: -1) is >= 0 and int id ? id : null;

    /// <summary>One token id or a list of them, those of -1 left out.</summary>
    public IReadOnlyList<int> TokenIds()
    {
        if (Element.ValueKind != JsonValueKind.Array)
        {
            return TokenId() is { } id ? [id] : [];
        }

        JsonField field = this;
        return
        [
            .. Element.EnumerateArray().Select((item, i) => new JsonField(field.File, $"{field.Key}[{i}]", item).TokenId()).OfType<int>(),
        ];
    }

    /// <summary>A list of strings.</summary>
    public IReadOnlyList<string> Texts()
    {
        JsonField field = this;
        return Element.ValueKind == JsonValueKind.Array
            ? [.. Element.EnumerateArray().Select((item, i) => new JsonField(field.File, $"{field.Key}[{i}]", item).Text())]
            : throw Wrong("a list of strings");
    }

    /// <summary>An error about this value: the file, the key, what stands there and what was expected.</summary>
    public ModelException Wrong(string expected)
    {
        string found = Element.GetRawText().OneLine();
        found = found.Length <= 40 ? found : string.Concat(found.AsSpan(0, 37), "...");
        return new ModelException($"{File}: {(Key.Length == 0 ? "the root" : Key)} is {found}, expected {expected}.");
    }

    private string Join(string key) => Key.Length == 0 ? key : $"{Key}.{key}";
}
