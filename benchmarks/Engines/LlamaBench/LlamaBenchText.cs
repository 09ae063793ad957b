using Llama3Perf.Inference.Engines.External;

namespace Llama3Perf.Benchmarks.Engines.LlamaBench;

/// <summary>Words of llama-bench, made fit for a message or a cell of one line.</summary>
internal static class LlamaBenchText
{
    /// <inheritdoc cref="PeerText.OneLine"/>
    public static string OneLine(string text) => PeerText.OneLine(text);

    /// <summary>The last line that is not blank; empty when there is none.</summary>
    public static string LastLine(string text) => OneLine(text.TrimEnd().Split('\n')[^1]);
}
