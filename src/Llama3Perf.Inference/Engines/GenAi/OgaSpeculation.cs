using System.Runtime.InteropServices;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>The part of onnxruntime-genai's C API that came with speculative decoding, in 0.18; older libraries serve without it.</summary>
internal static partial class OgaSpeculation
{
    private const string Library = NativeLibraries.GenAi;

    /// <summary>Refuses a library that has no speculative decoding.</summary>
    /// <exception cref="EngineException">It lacks an entry point; the message names it.</exception>
    public static void Require() =>
        NativeLibraries.RequireGenAi(
            [
                nameof(OgaGeneratorParamsSetSpeculativeNumber),
                nameof(OgaGenerator_GetSpeculativeStats),
                nameof(OgaSpeculativeStatsGetCount),
                nameof(OgaDestroySpeculativeStats),
            ],
            "speculative decoding came with onnxruntime-genai 0.18"
        );

    /// <summary>Tells a generator's parameters how to speculate.</summary>
    public static void Set(OgaGeneratorParams parameters, Speculation speculation)
    {
        Oga.Check(OgaGeneratorParamsSetSpeculativeNumber(parameters, "max_draft_tokens", speculation.MaxDraftTokens));
        if (speculation.NgramSize is { } size)
        {
            Oga.Check(OgaGeneratorParamsSetSpeculativeNumber(parameters, "ngram_size", size));
        }
    }

    /// <summary>What became of a generator's proposals so far.</summary>
    public static DraftCounts Counts(OgaGenerator generator)
    {
        Oga.Check(OgaGenerator_GetSpeculativeStats(generator, out nint stats));
        try
        {
            Oga.Check(OgaSpeculativeStatsGetCount(stats, "draft_tokens_proposed", out ulong proposed));
            Oga.Check(OgaSpeculativeStatsGetCount(stats, "draft_tokens_accepted", out ulong accepted));
            return new DraftCounts((long)proposed, (long)accepted);
        }
        finally
        {
            OgaDestroySpeculativeStats(stats);
        }
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaGeneratorParamsSetSpeculativeNumber(OgaGeneratorParams parameters, string name, double value);

    [LibraryImport(Library)]
    internal static partial nint OgaGenerator_GetSpeculativeStats(OgaGenerator generator, out nint stats);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaSpeculativeStatsGetCount(nint stats, string name, out ulong value);

    [LibraryImport(Library)]
    internal static partial void OgaDestroySpeculativeStats(nint stats);
}
