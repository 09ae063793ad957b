using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Inspection;

/// <summary>What is wrong or doubtful about a folder that opens.</summary>
internal static class FolderProblems
{
    private const long LargeBytes = 1 << 20;
    private const int PageBytes = 4096;

    /// <param name="folder">The folder.</param>
    /// <param name="graph">Its graph.</param>
    /// <param name="decoder"><c>model.decoder</c> of its genai_config.json.</param>
    public static IEnumerable<string> Find(ModelFolder folder, InspectedGraph graph, JsonField decoder) =>
        [.. Tokens(folder), .. Conversion(folder), .. Graph(folder, graph), .. Windows(graph, decoder), .. Data(graph)];

    private static IEnumerable<string> Tokens(ModelFolder folder) =>
        new TokenProblems(
            "genai_config.json",
            folder.VocabularySize,
            folder.BosTokenId,
            folder.EosTokenIds,
            File.Exists(Path.Combine(folder.Path, "chat_template.jinja"))
        ).Find(TokenizerFacts.Read(folder.Path));

    private static IEnumerable<string> Conversion(ModelFolder folder)
    {
        string? warning;
        try
        {
            warning = ConversionReport.Read(folder.Path)?.Warning;
        }
        catch (ModelException e)
        {
            warning = e.Message;
        }

        if (warning is not null)
        {
            yield return warning;
        }
    }

    private static IEnumerable<string> Graph(ModelFolder folder, InspectedGraph graph)
    {
        if (folder.Family == GraphFamily.DirectML && folder.Names.PositionIds is null)
        {
            yield return "the DirectML graph has no position_ids input";
        }

        if (graph.Facts.RotaryRows < folder.ContextLength)
        {
            yield return $"the context of {folder.ContextLength} is longer than the {graph.Facts.RotaryRows} rows of the rotary caches";
        }

        string[] missing = [.. graph.Facts.Missing()];
        if (missing.Length > 0)
        {
            yield return $"nothing makes {Shown.List(missing)}, which the graph needs or gives: it cannot run";
        }

        if (graph.TiedThrough is { } through)
        {
            yield return $"embedding and LM head share a matrix through a {through}: ONNX Runtime makes a second copy of the matrix when "
                + "it loads";
        }
    }

    /// <summary>How far back the configuration lets a token see, and how far the graph does.</summary>
    public static IEnumerable<string> Windows(InspectedGraph graph, JsonField decoder)
    {
        long? said = decoder.Find("sliding_window")?.Find("window_size")?.Integer();
        long? found = graph.Facts.Window;
        if (said is not null && found != said)
        {
            yield return $"genai_config.json has a sliding window of {said} tokens, the graph's attention has "
                + $"{(found is null ? "none" : $"one of {found}")}: beyond it the answers are another model's";
        }
        else if (found is not null && said is null)
        {
            yield return $"the graph's attention has a sliding window of {found} tokens, genai_config.json has none";
        }
    }

    private static IEnumerable<string> Data(InspectedGraph graph)
    {
        string[] unused = [.. graph.Unused()];
        if (unused.Length > 0)
        {
            yield return $"no node uses {Some(unused)}: {unused.Sum(graph.Tensors.Bytes)} bytes";
        }

        string[] unaligned = [.. graph.Tensors.Unaligned(LargeBytes, PageBytes)];
        if (unaligned.Length > 0)
        {
            yield return $"the data of {Some(unaligned)} does not start on a page of {PageBytes} bytes, as mapping into memory wants it";
        }
    }

    private static string Some(string[] names) =>
        names.Length == 1 ? Shown.Text(names[0]) : $"{Shown.Text(names[0])} and {names.Length - 1} more";
}
