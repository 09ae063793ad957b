namespace Llama3Perf.Inference.Tests.Native;

/// <summary>A llama.cpp of the user's that the binding does not fit is named, and none of its functions is called.</summary>
public sealed class LlamaCppLibraryTests
{
    // Beside the functions that follow, so that each library is one.
    private const string Export = """
        #ifdef _WIN32
        #define EXPORT __declspec(dllexport)
        #else
        #define EXPORT
        #endif

        """;

    private const string EntryPoints = Export + "EXPORT void llama_backend_init(void) {}";

    [Fact]
    public void Another_version_of_ggml_is_named_with_the_one_that_fits()
    {
        string folder = Folder("other-ggml", EntryPoints, Ggml("0.17.3"));

        Assert.Matches(
            "^"
                + Escape(LibraryIn(folder))
                + @" is llama\.cpp with ggml 0\.17\.3, and LLamaSharp [\d.]+ binds 0\.18\.x: take the libraries of "
                + @"LLamaSharp's backend packages of version [\d.]+$",
            ChildProcess.Run(ChildScenarios.AskForLlamaCpp, folder)
        );
    }

    [Fact]
    public void A_library_without_ggml_beside_it_is_of_an_unknown_version() =>
        Assert.Contains(
            " is llama.cpp with ggml of an unknown version, ",
            ChildProcess.Run(ChildScenarios.AskForLlamaCpp, Folder("no-ggml", EntryPoints, ggml: null)),
            StringComparison.Ordinal
        );

    [Fact]
    public void The_first_entry_point_that_is_missing_is_named()
    {
        string folder = Folder("no-entry-points", EntryPoints, Ggml("0.18.0"));

        Assert.Equal(
            $"{LibraryIn(folder)} has no llama_model_default_params: it is another version of llama.cpp than the binding's, or not "
                + "llama.cpp",
            ChildProcess.Run(ChildScenarios.AskForLlamaCpp, folder)
        );
    }

    private static string Ggml(string version) => $"{Export}EXPORT const char* ggml_version(void) {{ return \"{version}\"; }}";

    private static string LibraryIn(string folder) => Path.Combine(folder, TestRuntime.FileName("llama"));

    private static string Escape(string text) => System.Text.RegularExpressions.Regex.Escape(text);

    private static string Folder(string name, string llama, string? ggml)
    {
        string folder = TestRuntime.Scratch($"llama-{name}");
        Compile(LibraryIn(folder), llama);
        if (ggml is not null)
        {
            Compile(Path.Combine(folder, TestRuntime.FileName("ggml-base")), ggml);
        }

        return folder;
    }

    private static void Compile(string library, string code)
    {
        string source = library + ".c";
        File.WriteAllText(source, code);
        string? why = NativeCompiler.Compile(source, library);
        Assert.SkipWhen(why is not null, why ?? "");
    }
}
