using System.CommandLine;
using System.CommandLine.Parsing;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>The options that say which native libraries a verb loads, and <c>--provider</c>, which knows what they bring.</summary>
internal sealed class NativeSettings
{
    private const string LibraryName = "--provider-library";

    private readonly Option<IReadOnlyList<string>?> _runtimeDir = OptionFactory.List(
        "--runtime-dir",
        "Folder whose native onnxruntime (and onnxruntime-genai) libraries are loaded instead of the packaged ones, or the "
            + "site-packages of a Python that has them. May be repeated: the libraries may lie in several.",
        text => text.Split(Path.PathSeparator),
        OptionFactory.Text,
        "folder"
    );

    private readonly Option<ProviderLibrary?> _providerLibrary = OptionFactory.Value(
        LibraryName,
        "Library with an execution provider of its own, registered with ONNX Runtime; its name is then one for --provider.",
        ProviderLibrary.Parse,
        "name=path"
    );

    /// <summary><c>--runtime-dir</c>, for a verb that runs a model on the CPU or not at all.</summary>
    public Option RuntimeDir => _runtimeDir;

    /// <summary><c>--provider-library</c>.</summary>
    public Option ProviderLibraryOption => _providerLibrary;

    /// <summary>A provider's name, or that of the library on the same command line.</summary>
    public static Option<ExecutionProvider?> Provider(string name, string help) =>
        OptionFactory.Value<ExecutionProvider?>(name, help, (text, result) => ProviderOf(text, result), "name");

    /// <inheritdoc cref="Provider"/>
    public static ExecutionProvider ProviderOf(string text, ArgumentResult result) =>
        LibraryOf(result) == text ? ExecutionProvider.Plugin : OptionFactory.ProviderOf(text);

    /// <summary>Adds both to a verb that runs models on any provider.</summary>
    public void AddTo(Command command)
    {
        command.Add(_runtimeDir);
        command.Add(_providerLibrary);
    }

    /// <summary>Must come before anything touches a native library. Children inherit it.</summary>
    public void Use(ParseResult parsed)
    {
        if (parsed.GetValue(_runtimeDir) is { } folders)
        {
            if (folders.FirstOrDefault(folder => !Directory.Exists(folder)) is { } missing)
            {
                throw new UsageException($"--runtime-dir: there is no folder {missing}");
            }

            NativeLibraries.UseRuntimeFolders(folders);
        }

        parsed.GetValue(_providerLibrary)?.Use();
    }

    // The options of a command line are read in no order that could be relied on.
    private static string? LibraryOf(SymbolResult result)
    {
        SymbolResult? line = result;
        while (line is not null and not CommandResult)
        {
            line = line.Parent;
        }

        return
            (line as CommandResult)?.Children.OfType<OptionResult>().FirstOrDefault(option => option.Option.Name == LibraryName)?.Tokens
                is [.., var last]
            ? last.Value.Split('=')[0]
            : null;
    }
}
