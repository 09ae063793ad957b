using System.CommandLine;
using Llama3Perf.Results;
using Llama3Perf.Results.Gate;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>What <c>gate</c> and <c>ab</c> decide by, asked for alike.</summary>
internal sealed class VerdictOptions
{
    private static readonly GateOptions s_defaults = new();

    private readonly Option<double?> _threshold = OptionFactory.Value<double?>(
        "--threshold",
        "Change to the worse that matters: a pass excludes it. Default: 5%.",
        text => ResultsVerb.Share(text),
        "share"
    );

    private readonly Option<IReadOnlyList<string>?> _metrics = OptionFactory.List(
        "--metric",
        $"Default: {string.Join(",", s_defaults.Metrics)}.",
        OptionFactory.Text,
        "list"
    );

    private readonly Option<double?> _alpha = OptionFactory.Value<double?>(
        "--alpha",
        "Chance of a false alarm that all checks together may have, and of each wrong pass. Default: 0.01.",
        text => ResultsVerb.Share(text),
        "share"
    );

    private readonly Option<IReadOnlyList<string>?> _vary = OptionFactory.List(
        "--vary",
        "Field that both sides differ in. Default: the one they differ in.",
        OptionFactory.Text,
        "fields"
    );

    private readonly Option<string?> _inconclusive = OptionFactory.Value(
        "--inconclusive",
        "What checks do of which nothing is proven: fail (exit 3) or pass. Default: fail.",
        OptionFactory.OneOf(("fail", "fail"), ("pass", "pass")),
        "fail|pass"
    );

    private readonly Option<bool> _outputs = OptionFactory.Flag(
        "--fail-on-output-change",
        "Other tokens under the same folder, engine and provider fail too."
    );

    private readonly Option<double?> _maxKl = OptionFactory.Value<double?>(
        "--max-kl",
        "Largest KL divergence of the current answers from their reference, nats. Default: what the runs' verification tolerated.",
        text => OptionFactory.Number(0, 1000)(text),
        "nats"
    );

    public void AddTo(Command command)
    {
        command.Add(_threshold);
        command.Add(_metrics);
        command.Add(_alpha);
        command.Add(_vary);
        command.Add(_inconclusive);
        command.Add(_outputs);
        command.Add(_maxKl);
    }

    public GateOptions Read(ParseResult parsed) =>
        s_defaults with
        {
            Threshold = parsed.GetValue(_threshold) ?? s_defaults.Threshold,
            Metrics = parsed.GetValue(_metrics) ?? s_defaults.Metrics,
            Alpha = parsed.GetValue(_alpha) ?? s_defaults.Alpha,
            Vary = parsed.GetValue(_vary) ?? [],
            InconclusiveFails = parsed.GetValue(_inconclusive) is { } choice ? choice == "fail" : s_defaults.InconclusiveFails,
            OutputChangeFails = parsed.GetValue(_outputs),
            MaxKlNats = parsed.GetValue(_maxKl),
        };

    /// <summary>Appends a verdict to the file that GitHub shows on the page of a workflow run, where there is one.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Summarize(string markdown)
    {
        if (Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY") is not { Length: > 0 } path)
        {
            return;
        }

        try
        {
            File.AppendAllText(path, markdown + "\n");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFileException($"GITHUB_STEP_SUMMARY: {path} cannot be written: {exception.Message}", exception);
        }
    }
}
