namespace Llama3Perf.Benchmarks.Planning;

/// <summary>What <c>--spin</c> means to ONNX Runtime: session entries, as anybody may give them with <c>--session-entry</c>.</summary>
internal static class SpinEntries
{
    /// <summary>Whether idle threads of an operator's pool spin before they sleep.</summary>
    public const string AllowSpinning = "session.intra_op.allow_spinning";

    /// <summary>For how many microseconds they do, where this ONNX Runtime knows the entry; others pass over it.</summary>
    public const string SpinMicroseconds = "session.intra_op.spin_duration_us";

    /// <summary>
    /// The usual one, a number of microseconds: as fast as ONNX Runtime's own endless spinning on a machine of its own, and faster on one
    /// that others share (docs/gate.md has the figures).
    /// </summary>
    public const string Usual = "50";

    /// <summary>The entries of a value: <c>on</c>, <c>off</c> or a number of microseconds.</summary>
    public static IReadOnlyDictionary<string, string> Of(string spin) =>
        spin switch
        {
            "on" => new Dictionary<string, string> { [AllowSpinning] = "1" },
            "off" => new Dictionary<string, string> { [AllowSpinning] = "0" },
            _ => new Dictionary<string, string> { [SpinMicroseconds] = spin },
        };

    /// <summary>Entries that were given, which go before, and those of <c>--spin</c>, or of its default.</summary>
    public static IReadOnlyDictionary<string, string> Over(string? spin, IReadOnlyDictionary<string, string> entries) =>
        spin is null || entries.ContainsKey(AllowSpinning) || entries.ContainsKey(SpinMicroseconds)
            ? entries
            : new Dictionary<string, string>(entries.Concat(Of(spin)));

    /// <summary>Whether an entry is the one that nobody has to name.</summary>
    public static bool IsUsual(KeyValuePair<string, string> entry) => entry is { Key: SpinMicroseconds, Value: Usual };
}
