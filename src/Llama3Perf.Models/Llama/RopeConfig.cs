using System.Text.Json;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Llama;

/// <summary>
/// Reads the rotary embedding of a config.json in the order in which transformers looks (<c>modeling_rope_utils</c>): a
/// <c>rope_scaling</c> with anything in it counts before <c>rope_parameters</c>, an empty one as absent; theta stands inside, else at
/// the top, else it is 10000; an original length at the top counts before the one inside.
/// </summary>
internal static class RopeConfig
{
    private const double DefaultTheta = 10_000;

    /// <summary>Both places, the one that counts first.</summary>
    public static readonly IReadOnlyList<string> Places = ["rope_scaling", "rope_parameters"];

    /// <summary>Keys inside one of them that are read.</summary>
    public static readonly IReadOnlyList<string> Keys =
    [
        "rope_type",
        "type",
        "rope_theta",
        "factor",
        "low_freq_factor",
        "high_freq_factor",
        "original_max_position_embeddings",
        "partial_rotary_factor",
    ];

    public static (double Theta, RopeScaling? Scaling) Read(JsonField root, int maxContext)
    {
        JsonField[] filled = [.. Places.Select(root.Find).OfType<JsonField>().Where(IsFilled)];
        CheckWhole(root);
        foreach (JsonField place in filled)
        {
            CheckKind(place);
        }

        JsonField? rope = filled is [var first, ..] ? first : null;
        double theta = (rope?.Find("rope_theta") ?? root.Find("rope_theta"))?.Positive() ?? DefaultTheta;
        return (theta, rope is { } found && Kind(found)?.Text() == "llama3" ? Llama3(found, root, maxContext) : null);
    }

    private static bool IsFilled(JsonField place)
    {
        _ = place.Find("rope_type");
        return place.Element.EnumerateObject().Any();
    }

    private static JsonField? Kind(JsonField place) => place.Find("rope_type") ?? place.Find("type");

    /// <summary>Refuses what is not built, also in the place that does not count: there it is a sign that another model is meant.</summary>
    private static void CheckKind(JsonField place)
    {
        if (
            place.Element.EnumerateObject().FirstOrDefault(property => property.Value.ValueKind == JsonValueKind.Object) is
            { Value.ValueKind: JsonValueKind.Object } nested
        )
        {
            throw new ModelException(
                $"{place.File}: {place.Key} holds parameters by layer type ('{Shown.Text(JsonNames.Of(nested) ?? "?")}'); only one set for "
                    + "all layers is built."
            );
        }

        foreach (JsonField kind in ((string[])["rope_type", "type"]).Select(place.Find).OfType<JsonField>())
        {
            if (kind.Text() is not ("default" or "llama3"))
            {
                throw kind.Wrong("\"default\" or \"llama3\"");
            }
        }

        CheckWhole(place);
    }

    private static void CheckWhole(JsonField place)
    {
        if (place.Find("partial_rotary_factor") is { } factor && factor.Positive() != 1)
        {
            throw factor.Wrong("1: rotation of a part of each head is not built");
        }
    }

    private static RopeScaling Llama3(JsonField rope, JsonField root, int maxContext)
    {
        var scaling = new RopeScaling(
            rope["factor"].Positive(),
            rope["low_freq_factor"].Positive(),
            rope["high_freq_factor"].Positive(),
            Length(root.Find("original_max_position_embeddings") ?? rope["original_max_position_embeddings"], maxContext)
        );
        return scaling.HighFrequencyFactor > scaling.LowFrequencyFactor
            ? scaling
            : throw rope["high_freq_factor"].Wrong("more than low_freq_factor");
    }

    private static int Length(JsonField length, int maximum) =>
        length.Integer() <= maximum ? length.Integer() : throw length.Wrong($"at most {maximum}");
}
