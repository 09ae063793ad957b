using System.Text.Json;
using System.Text.Json.Serialization;
using Llama3Perf.Benchmarks.Harness;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>
/// What a side tells the measurement that drives it, a line each on its standard output: <c>// L3P side {json}</c>. The other way go
/// <c>launch CASE</c>, or <c>begin CASE</c>, <c>step</c> as often as is wanted and <c>end</c>, and at last <c>complete</c>, a line each.
/// The two may be different builds: figures travel in the files of a run, whose versions are known, and a new kind of message is a new
/// <see cref="Protocol"/>.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SideReady), "ready")]
[JsonDerivedType(typeof(SideStands), "stands")]
[JsonDerivedType(typeof(SideLaunched), "launched")]
[JsonDerivedType(typeof(SideCompleted), "completed")]
internal abstract record SideMessage
{
    /// <summary>Version of the conversation.</summary>
    public const int Protocol = 2;

    private const string Prefix = "// L3P side ";

    public string Format() => Prefix + JsonSerializer.Serialize(this, SideJson.Default.SideMessage);

    /// <summary>The message in a line; null for any other line.</summary>
    public static SideMessage? Parse(string line)
    {
        if (!line.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(line.AsSpan(Prefix.Length), SideJson.Default.SideMessage);
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException)
        {
            return null;
        }
    }
}

/// <summary>Everything is planned and nothing measured.</summary>
/// <param name="Folder">The run's folder as it is now: all of its cases, without samples.</param>
internal sealed record SideReady(string Folder) : SideMessage;

/// <summary>A launch that takes turns has loaded its model, or made a generation.</summary>
/// <param name="State">Where it stands.</param>
internal sealed record SideStands(TurnState State) : SideMessage;

/// <summary>A launch is over.</summary>
/// <param name="Folder">Folder of a run that holds this launch alone, until the next one is over.</param>
/// <param name="Ms">Time from the start of its process to its end.</param>
internal sealed record SideLaunched(string Folder, double Ms) : SideMessage;

/// <summary>The run is complete.</summary>
/// <param name="Folder">Where it is.</param>
internal sealed record SideCompleted(string Folder) : SideMessage;

[JsonSourceGenerationOptions(RespectNullableAnnotations = true)]
[JsonSerializable(typeof(SideMessage))]
internal sealed partial class SideJson : JsonSerializerContext;
