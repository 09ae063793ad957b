using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Models.Inspection;

/// <summary>What is wrong or doubtful about a folder that opens.</summary>
internal static class FolderProblems
{
    private const long LargeBytes = 1 << 20;
    private const int PageBytes = 4096;

    public static IEnumerable<string> Find(ModelFolder folder, InspectedGraph graph) => [.. Tokens(folder), .. Conversion(folder), .. Graph(folder, graph), .. Data(graph)];

    private static IEnumerable<string> Tokens(ModelFolder folder) => new TokenProblems(
        "genai_config.json", folder.VocabularySize, folder.BosTokenId, folder.EosTokenIds, File.Exists(Path.Combine(folder.Path, "chat_template.jinja")))
        .Find(TokenizerFacts.Read(folder.Path));

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

        if (graph.RotaryRows < folder.ContextLength)
        {
            yield return $"the context of {folder.ContextLength} is longer than the {graph.RotaryRows} rows of the rotary caches";
        }

        if (graph.TiedThrough is { } through)
        {
            yield return $"the embedding reads the LM head's matrix through a {through}: ONNX Runtime makes a second copy of the matrix when it loads";
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

    private static string Some(string[] names) => names.Length == 1 ? names[0] : $"{names[0]} and {names.Length - 1} more";
}
