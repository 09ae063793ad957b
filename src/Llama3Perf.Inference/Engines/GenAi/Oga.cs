using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>
/// The part of onnxruntime-genai's C API (<c>ort_genai_c.h</c>) that the engine uses: the same from 0.14.1 on. Strings are UTF-8,
/// <c>bool</c> is one byte, sizes are <c>size_t</c>. Every function that can fail returns an <c>OgaResult*</c>, null for success:
/// always behind <see cref="Check"/>. The API is not thread-safe.
/// </summary>
internal static unsafe partial class Oga
{
    private const string Library = NativeLibraries.GenAi;

    private static readonly string[] s_entryPoints =
    [
        .. typeof(Oga)
            .GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
            .Select(method => method.Name)
            .Where(name => name.StartsWith("Oga", StringComparison.Ordinal))
            .Distinct(),
    ];

    /// <summary>Loads the library unless it is loaded, and checks that it has every function below but the tokenizer's: an engine has no
    /// use for these, and older libraries lack some.</summary>
    /// <exception cref="EngineException">Missing, of another architecture, too old or no library at all.</exception>
    public static nint RequireLibrary() => NativeLibraries.RequireGenAi(s_entryPoints.Where(name => !IsTokenizers(name)));

    /// <summary>The same with the tokenizer's functions, for chat templates.</summary>
    /// <exception cref="EngineException">As above.</exception>
    public static nint RequireTokenizer() => NativeLibraries.RequireGenAi(s_entryPoints);

    private static bool IsTokenizers(string name) => name.Contains("Tokenizer", StringComparison.Ordinal);

    /// <summary>Throws what the library says of a failed call, with the call's name; the one place where results are looked at.</summary>
    /// <exception cref="EngineException">The call failed.</exception>
    public static void Check(nint result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != 0)
        {
            Throw(result, call);
        }
    }

    [DoesNotReturn]
    private static void Throw(nint result, string call)
    {
        string text = Marshal.PtrToStringUTF8(OgaResultGetError(result)) ?? "no text";
        OgaDestroyResult(result);
        int end = call.IndexOf('(', StringComparison.Ordinal);
        string name = end < 0 ? call : call[(call.LastIndexOf('.', end) + 1)..end];
        throw new EngineException($"{name}: {text.OneLine()}");
    }

    [LibraryImport(Library)]
    internal static partial void OgaShutdown();

    [LibraryImport(Library)]
    internal static partial nint OgaResultGetError(nint result);

    [LibraryImport(Library)]
    internal static partial void OgaDestroyResult(nint result);

    [LibraryImport(Library)]
    internal static partial void OgaDestroyString(nint text);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaCreateConfig(string path, out OgaConfig config);

    [LibraryImport(Library)]
    internal static partial void OgaDestroyConfig(nint config);

    [LibraryImport(Library)]
    internal static partial nint OgaConfigClearProviders(OgaConfig config);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaConfigAppendProvider(OgaConfig config, string provider);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaConfigSetProviderOption(OgaConfig config, string provider, string key, string value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaConfigOverlay(OgaConfig config, string json);

    [LibraryImport(Library)]
    internal static partial nint OgaCreateModelFromConfig(OgaConfig config, out OgaModel model);

    [LibraryImport(Library)]
    internal static partial void OgaDestroyModel(nint model);

    [LibraryImport(Library)]
    internal static partial nint OgaModelGetDeviceType(OgaModel model, out nint text);

    [LibraryImport(Library)]
    internal static partial nint OgaCreateTokenizer(OgaModel model, out OgaTokenizer tokenizer);

    [LibraryImport(Library)]
    internal static partial void OgaDestroyTokenizer(nint tokenizer);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaTokenizerApplyChatTemplate(
        OgaTokenizer tokenizer,
        string template,
        string messages,
        string? tools,
        [MarshalAs(UnmanagedType.I1)] bool addGenerationPrompt,
        out nint text
    );

    [LibraryImport(Library)]
    internal static partial nint OgaCreateGeneratorParams(OgaModel model, out OgaGeneratorParams parameters);

    [LibraryImport(Library)]
    internal static partial void OgaDestroyGeneratorParams(nint parameters);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaGeneratorParamsSetSearchNumber(OgaGeneratorParams parameters, string name, double value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaGeneratorParamsSetSearchBool(
        OgaGeneratorParams parameters,
        string name,
        [MarshalAs(UnmanagedType.I1)] bool value
    );

    [LibraryImport(Library)]
    internal static partial nint OgaCreateGenerator(OgaModel model, OgaGeneratorParams parameters, out OgaGenerator generator);

    [LibraryImport(Library)]
    internal static partial void OgaDestroyGenerator(nint generator);

    [LibraryImport(Library)]
    internal static partial nint OgaGenerator_AppendTokens(OgaGenerator generator, int* tokens, nuint count);

    [LibraryImport(Library)]
    internal static partial nint OgaGenerator_RewindTo(OgaGenerator generator, nuint length);

    [LibraryImport(Library)]
    internal static partial nint OgaGenerator_GenerateNextToken(OgaGenerator generator);

    [LibraryImport(Library)]
    internal static partial nint OgaGenerator_GetNextTokens(OgaGenerator generator, out int* tokens, out nuint count);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint OgaGenerator_GetOutput(OgaGenerator generator, string name, out OgaTensor tensor);

    [LibraryImport(Library)]
    internal static partial void OgaDestroyTensor(nint tensor);

    [LibraryImport(Library)]
    internal static partial nint OgaTensorGetType(OgaTensor tensor, out int type);

    [LibraryImport(Library)]
    internal static partial nint OgaTensorGetShapeRank(OgaTensor tensor, out nuint rank);

    [LibraryImport(Library)]
    internal static partial nint OgaTensorGetShape(OgaTensor tensor, long* dims, nuint rank);

    [LibraryImport(Library)]
    internal static partial nint OgaTensorGetData(OgaTensor tensor, out nint data);
}
