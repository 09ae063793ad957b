using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>The first line that a peer prints.</summary>
/// <param name="Protocol">Always <see cref="Name"/>.</param>
/// <param name="Version">Version of the protocol.</param>
/// <param name="Program">The peer's own name and version.</param>
internal sealed record PeerGreeting(string Protocol, int Version, string Program)
{
    /// <summary>The protocol's name.</summary>
    public const string Name = "llama3perf-peer";

    /// <summary>The one version that is spoken here.</summary>
    public const int SpokenVersion = 1;
}

/// <summary>A request: one line to the peer.</summary>
internal sealed record PeerRequest<T>(int Id, string Method, T Params);

/// <summary>A peer's line in answer to a request: a result or an error.</summary>
internal sealed record PeerAnswer
{
    public int? Id { get; init; }

    public JsonElement? Result { get; init; }

    public PeerError? Error { get; init; }
}

/// <summary>Why a peer could not do what it was asked for.</summary>
internal sealed record PeerError(string Code, string Message);

internal sealed record LoadParams(
    string Model,
    string Backend,
    string Device,
    string Precision,
    int? Threads,
    int MaxLength,
    IReadOnlyDictionary<string, string> Options
);

internal sealed record LoadResult(string Device, string Precision, int VocabSize)
{
    public string? DeviceName { get; init; }

    public IReadOnlyDictionary<string, string>? Versions { get; init; }

    public int[]? EosTokenIds { get; init; }

    public string? KvCache { get; init; }

    public string[]? Warnings { get; init; }
}

internal sealed record ProbeParams(string Backend, string Device);

/// <summary>What a program could do on a device without a model being loaded.</summary>
internal sealed record ProbeResult
{
    public string? DeviceName { get; init; }
}

internal sealed record EncodeParams(string Text, bool AddBos);

internal sealed record EncodeResult(int[] Ids);

internal sealed record GenerateParams(int[] Prompt, int NewTokens, bool IgnoreEos)
{
    /// <summary>True asks for the logits after the prompt; null leaves the member out.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? LastLogits { get; init; }
}

/// <summary>Times are nanoseconds of the peer's own monotonic clock.</summary>
internal sealed record GenerateResult(int[] Tokens, long ReceivedNs, long StartNs, long PrefillEndNs, long[] TokenNs, long EndNs)
{
    public PeerMemory? Memory { get; init; }

    public string[]? CpuFallbackOps { get; init; }

    /// <summary>Logits after the prompt, [vocabulary], null where one is no number; absent where the program has none to show.</summary>
    public float?[]? LastLogits { get; init; }
}

internal sealed record PeerMemory
{
    public long? PeakRssBytes { get; init; }

    public long? PeakDeviceBytes { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(PeerGreeting))]
[JsonSerializable(typeof(PeerAnswer))]
[JsonSerializable(typeof(PeerRequest<LoadParams>))]
[JsonSerializable(typeof(PeerRequest<EncodeParams>))]
[JsonSerializable(typeof(PeerRequest<ProbeParams>))]
[JsonSerializable(typeof(ProbeResult))]
[JsonSerializable(typeof(PeerRequest<GenerateParams>))]
[JsonSerializable(typeof(LoadResult))]
[JsonSerializable(typeof(EncodeResult))]
[JsonSerializable(typeof(GenerateResult))]
internal sealed partial class PeerJson : JsonSerializerContext;
