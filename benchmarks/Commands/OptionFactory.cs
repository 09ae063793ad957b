using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Llama;
using Template = Llama3Perf.Inference.Tokenization.ChatTemplate;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>Makes options whose values are parsed here, so that every mistake reads the same: the option, the value, what it
/// takes.</summary>
internal static class OptionFactory
{
    public const string AddBosHelp = "Puts the configuration's BOS token in front of prompts where the tokenizer adds none.";

    /// <summary>One value. The last one counts when the option is repeated, so that a script can add to a command line.</summary>
    public static Option<T?> Value<T>(string name, string help, Func<string, T> parse, string helpName) =>
        Value(name, help, (text, _) => parse(text), helpName);

    /// <summary>Whose value is understood beside the rest of the command line.</summary>
    public static Option<T?> Value<T>(string name, string help, Func<string, ArgumentResult, T> parse, string helpName) =>
        new(name)
        {
            Description = help,
            HelpName = helpName,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = result => Parse(result, name, text => parse(text, result)),
        };

    /// <summary>A comma-separated list; the option may also be repeated. Null when it is not given.</summary>
    public static Option<IReadOnlyList<T>?> List<T>(string name, string help, Func<string, T> parse, string helpName) =>
        List(name, help, text => text.Split(',', StringSplitOptions.TrimEntries), parse, helpName);

    public static Option<IReadOnlyList<T>?> List<T>(
        string name,
        string help,
        Func<string, IReadOnlyList<string>> split,
        Func<string, T> parse,
        string helpName
    ) => List(name, help, split, (text, _) => parse(text), helpName);

    /// <summary>Whose values are understood beside the rest of the command line.</summary>
    public static Option<IReadOnlyList<T>?> List<T>(
        string name,
        string help,
        Func<string, IReadOnlyList<string>> split,
        Func<string, ArgumentResult, T> parse,
        string helpName
    ) =>
        new(name)
        {
            Description = help,
            HelpName = helpName,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = result =>
                ParseEach(result, name, token => split(token).Select(text => parse(text, result)).ToList())
                    ?.SelectMany(values => values)
                    .ToList(),
        };

    /// <summary>Prompts: one text an option, commas and all, or a list of nothing but ppN.</summary>
    public static Option<IReadOnlyList<string>?> Prompts(string help) => List("--prompt", help, Prompt.Arguments, Text, "text");

    public const string ChatTemplateName = "--chat-template";

    /// <summary>What wraps text prompts, as one of the names of <c>--chat-template</c>.</summary>
    public static string ChatTemplateOf(string name) => name == ModelChatTemplate.Name ? name : Template.Get(name).Name;

    public static string ChatTemplates { get; } =
        $"{string.Join(", ", Template.Names)}, or {ModelChatTemplate.Name}: the model's own, which onnxruntime-genai renders";

    /// <summary><c>key=value</c>, repeatable. Null when it is not given.</summary>
    public static Option<IReadOnlyDictionary<string, string>?> Pairs(string name, string help) =>
        new(name)
        {
            Description = help,
            HelpName = "key=value",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = result => Distinct(result, name, ParseEach(result, name, Pair)),
        };

    /// <summary>Lets a verb replace a file at its <c>--output</c> that it has not written.</summary>
    public static Option<bool> Force() => Flag("--force", "Replaces a file that this verb has not written.");

    /// <summary>A path or a name that stands without an option.</summary>
    public static Argument<string> Argument(string name, string help) =>
        new(name) { Description = help, CustomParser = result => ParseEach(result, name, Text) is [var only] ? only : "" };

    /// <summary>Several of them.</summary>
    public static string[] Texts(ArgumentResult result, string name) => ParseEach(result, name, Text)?.ToArray() ?? [];

    public static Option<bool> Flag(string name, string help) => new(name) { Description = help };

    public static Func<string, T> OneOf<T>(params (string Name, T Value)[] choices) =>
        text =>
        {
            int index = Array.FindIndex(choices, choice => choice.Name.Equals(text, StringComparison.OrdinalIgnoreCase));
            return index >= 0
                ? choices[index].Value
                : throw new UsageException(
                    $"'{text}' is unknown{DidYouMean.Hint(text, choices.Select(choice => choice.Name))}; use "
                        + string.Join(", ", choices.Select(choice => choice.Name))
                );
        };

    public static Func<string, int> Integer(int min, int max = int.MaxValue) =>
        text =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max
                ? number
                : throw new UsageException(
                    $"'{text}' is not a whole number {(max == int.MaxValue ? $"from {min} up" : $"from {min} to {max}")}"
                );

    public static Func<string, double> Number(double min, double max) =>
        text =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= min && number <= max
                ? number
                : throw new UsageException(FormattableString.Invariant($"'{text}' is not a number from {min} to {max}"));

    /// <summary>A time such as <c>90s</c>, <c>5m</c> or <c>1h</c>.</summary>
    public static TimeSpan Duration(string text)
    {
        bool isNumber = double.TryParse(
            text.AsSpan(0, Math.Max(0, text.Length - 1)),
            NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture,
            out double number
        );
        double? seconds = text.LastOrDefault() switch
        {
            's' => number,
            'm' => number * 60,
            'h' => number * 3600,
            _ => null,
        };
        return isNumber && seconds is > 0 and <= 86400 and { } known
            ? TimeSpan.FromSeconds(known)
            : throw new UsageException($"'{text}' is no time from 1s to 24h: 90s, 5m, 1h");
    }

    /// <summary>A time, or a number of something.</summary>
    public static Budget BudgetOf(string text) =>
        text.Length > 0 && text.All(char.IsAsciiDigit) ? new Budget(null, Integer(1, 100_000)(text)) : new Budget(Duration(text), null);

    /// <summary>Whether idle threads spin: <c>on</c>, <c>off</c>, or for how many microseconds.</summary>
    public static string Spin(string text) =>
        text is "on" or "off"
        || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int us) && us is > 0 and <= 1_000_000)
            ? text
            : throw new UsageException($"'{text}' is neither on, off nor a number of microseconds from 1 to 1000000");

    public static string Text(string text) =>
        text switch
        {
            "" => throw new UsageException("the value is empty"),
            _ when text.Contains('\0', StringComparison.Ordinal) => throw new UsageException("the value holds a NUL character"),
            _ => text,
        };

    /// <summary>An address of the web.</summary>
    public static Uri Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address is { Scheme: "http" or "https" }
            ? address
            : throw new UsageException($"'{text}' is no address of the form http://host:port/v1");

    /// <summary>A model to measure: a shape's name, a config.json, a checkpoint, or a model folder.</summary>
    public static string Model(string text) =>
        LlamaShape.Names.Contains(text) || Path.Exists(text)
            ? text
            : throw new UsageException(
                $"'{text}' is no path and no known shape{DidYouMean.Hint(text, LlamaShape.Names)}; use "
                    + $"{string.Join(", ", LlamaShape.Names)}, a config.json, a Hugging Face "
                    + "checkpoint, a model folder or a GGUF file"
            );

    /// <summary>One Python for all external engines, or one for each.</summary>
    public static string Pythons(string text) =>
        PythonProgram.Given(text).Keys.FirstOrDefault(name => name.Length > 0 && PeerCatalog.All.All(peer => peer.Backend != name))
            is { } unknown
            ? throw new UsageException(
                $"'{unknown}' is no external engine; use {string.Join(", ", PeerCatalog.All.Select(peer => $"{peer.Backend}=PATH"))}"
            )
            : Text(text);

    public static Precision PrecisionOf(string text) => OneOf(Array.ConvertAll(Enum.GetValues<Precision>(), Named))(text);

    public static ExecutionProvider ProviderOf(string text) =>
        OneOf([.. Enum.GetValues<ExecutionProvider>().Where(provider => provider != ExecutionProvider.Plugin).Select(Named)])(text);

    /// <summary>An engine's name, checked; that of a program keeps the path or command that was typed.</summary>
    public static string EngineOf(string text)
    {
        EngineFamilies.Of(text).Check(text);
        return text;
    }

    private static (string Name, T Value) Named<T>(T value)
        where T : struct, Enum => (value.Name(), value);

    public static int BlockSizeOf(string text) => OneOf(("16", 16), ("32", 32), ("64", 64), ("128", 128), ("256", 256))(text);

    private static KeyValuePair<string, string> Pair(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new KeyValuePair<string, string>(text[..equals], text[(equals + 1)..])
            : throw new UsageException($"'{text}' is not of the form key=value");
    }

    private static Dictionary<string, string>? Distinct(ArgumentResult result, string name, List<KeyValuePair<string, string>>? pairs)
    {
        if (pairs?.GroupBy(pair => pair.Key, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is not { } twice)
        {
            return pairs?.ToDictionary();
        }

        result.AddError($"{name}: '{twice.Key}' is given twice: {string.Join(" and ", twice.Select(pair => $"'{pair.Value}'"))}");
        return null;
    }

    private static T? Parse<T>(ArgumentResult result, string name, Func<string, T> parse)
    {
        List<T>? values = ParseEach(result, name, parse);
        return values is [.., var last] ? last : default;
    }

    private static List<T>? ParseEach<T>(ArgumentResult result, string name, Func<string, T> parse)
    {
        try
        {
            return [.. result.Tokens.Select(token => parse(token.Value))];
        }
        catch (Exception exception) when (exception is UsageException or ModelException or EngineException)
        {
            result.AddError($"{name}: {exception.Message}");
            return null;
        }
    }
}
