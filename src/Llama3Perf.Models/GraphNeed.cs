namespace Llama3Perf.Models;

/// <summary>Something that a graph asks of whoever runs it: which engine has it on which provider, and what is said where it is
/// missing.</summary>
/// <param name="Reason">What the graph is, has or needs, and the way out; follows "the folder" or "it" in a sentence.</param>
/// <param name="Ort">Providers on which our own loop over ONNX Runtime computes such a graph rightly.</param>
/// <param name="GenAi">Providers on which ONNX Runtime GenAI does.</param>
public sealed record GraphNeed(string Reason, IReadOnlyList<GraphTarget> Ort, IReadOnlyList<GraphTarget> GenAi)
{
    /// <summary>True when an engine has it on a provider; without an engine, when any has.</summary>
    /// <param name="engine"><c>ort</c>, <c>genai</c>, or null.</param>
    /// <param name="provider">The provider.</param>
    public bool IsMet(string? engine, GraphTarget provider) =>
        engine switch
        {
            "ort" => Ort.Contains(provider),
            "genai" => GenAi.Contains(provider),
            _ => Ort.Contains(provider) || GenAi.Contains(provider),
        };
}
