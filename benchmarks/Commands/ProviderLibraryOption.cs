using System.CommandLine;
using System.CommandLine.Parsing;
using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>--provider-library</c>, and <c>--provider</c>, which then knows the library's name too.</summary>
internal static class ProviderLibraryOption
{
    private const string Name = "--provider-library";

    public static Option<ProviderLibrary?> Option() =>
        OptionFactory.Value(
            Name,
            "Library with an execution provider of its own, registered with ONNX Runtime; its name is then one for --provider.",
            ProviderLibrary.Parse,
            "name=path"
        );

    /// <summary>Must come before anything touches a native library. Children inherit it.</summary>
    public static void Use(ProviderLibrary? library) => library?.Use();

    /// <summary>A provider's name, or that of the library on the same command line.</summary>
    public static ExecutionProvider ProviderOf(string text, ArgumentResult result) =>
        LibraryOf(result) == text ? ExecutionProvider.Plugin : OptionFactory.ProviderOf(text);

    // The options of a command line are read in no order that could be relied on.
    private static string? LibraryOf(SymbolResult result)
    {
        SymbolResult? line = result;
        while (line is not null and not CommandResult)
        {
            line = line.Parent;
        }

        return
            (line as CommandResult)?.Children.OfType<OptionResult>().FirstOrDefault(option => option.Option.Name == Name)?.Tokens
                is [.., var last]
            ? last.Value.Split('=')[0]
            : null;
    }
}
