using System.CommandLine;
using System.CommandLine.Parsing;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Results;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>
/// Which options of a command line that a results folder holds are used again. A results folder may come from anybody, so nothing is
/// taken from it that names a program, a library, or options for one: only these.
/// </summary>
internal static class InvocationRules
{
    private static readonly HashSet<string> s_allowed =
    [
        "--model",
        "--precision",
        "--block-size",
        "--engine",
        "--provider",
        "--device",
        "--graph-optimization",
        "--loop",
        "--draft-model",
        "--draft-tokens",
        "--ngram",
        "--prefill-chunk",
        "--spin",
        "--kv-type",
        "--flash-attention",
        "--wait-idle",
        "--strict",
        "--prompt",
        "--chat-template",
        "--add-bos",
        "--max-length",
        "--threads",
        "--launches",
        "--until",
        "--budget",
        "--order",
        "--seed",
        "--warmup",
        "--iterations",
        "--isolation",
        "--cooldown",
        "--preset",
        "--quick",
        "--output",
        "--label",
        "--case",
        "--verbose",
        "--verify",
        "--launch-timeout",
        "--force",
        "--keep-paths",
        "--telemetry",
    ];

    /// <summary>Refuses a command line that names more than what is allowed.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="source">Where it stands.</param>
    /// <exception cref="RunFileException">It does; the message names the first such option, with its values.</exception>
    public static void Require(ParseResult parsed, string source)
    {
        if (parsed.Errors.Count > 0)
        {
            throw new RunFileException($"{source} holds a command line that this program does not read: {parsed.Errors[0].Message}");
        }

        if (parsed.CommandResult.Command is not RootCommand and not { Name: "run" })
        {
            throw new RunFileException($"{source} is of the verb {parsed.CommandResult.Command.Name}, which measures no run");
        }

        string? first =
            parsed
                .CommandResult.Children.OfType<OptionResult>()
                .Where(option => !option.Implicit)
                .Select(WhyNot)
                .FirstOrDefault(reason => reason is not null)
            ?? (parsed.UnmatchedTokens is [var foreign, ..] ? $"{foreign}, which is BenchmarkDotNet's" : null);
        if (first is not null)
        {
            throw new RunFileException(
                $"{source} names {first}; a program, a library or options for one are taken from there only with --trust-invocation"
            );
        }
    }

    private static string? WhyNot(OptionResult option)
    {
        string[] values = [.. option.Tokens.Select(token => token.Value)];
        if (!s_allowed.Contains(option.Option.Name))
        {
            return $"{option.Option.Name} {string.Join(' ', values.Select(Outside))}".TrimEnd();
        }

        return option.Option.Name == "--engine" && values.SelectMany(value => value.Split(',')).FirstOrDefault(IsProgram) is { } program
            ? $"the engine {Outside(program)}"
            : null;
    }

    private static bool IsProgram(string engine) => PeerCatalog.Owns(engine.Trim()) && !PeerCatalog.Names.Contains(engine.Trim());

    private static string Outside(string value) =>
        Path.IsPathRooted(value)
        && Workspace.RepositoryRoot is { } root
        && !Path.GetFullPath(value).StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? $"{value} (outside the repository)"
            : value;
}
