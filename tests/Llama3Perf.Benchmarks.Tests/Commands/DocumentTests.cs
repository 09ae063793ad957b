using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using Llama3Perf.Benchmarks.Commands;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>README and docs/ say what the program takes: every command in them is parsed, every option exists, every link leads
/// somewhere.</summary>
public sealed partial class DocumentTests
{
    private const string Start = "dotnet run -c Release --project benchmarks";

    // Of programs that the pages name beside ours.
    private static readonly HashSet<string> s_others = new(StringComparer.Ordinal)
    {
        "--adapter",
        "--coverlet",
        "--coverlet-output-format",
        "--no-restore",
        "--verify-no-changes",
        "--filter-class",
        "--project",
        "--self-contained",
        "--use_random_tokens",
        "--config-dir",
        "--config-name",
        "--dataset-name",
        "--random-input-len",
        "--random-output-len",
        "--ignore-eos",
        "--max-concurrency",
        "--num-prompts",
        "--temperature",
        "--tool-path",
        "--add-source",
        "--help",
    };

    public static TheoryData<string> Pages =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Fixtures.Root, "docs"), "*.md", SearchOption.AllDirectories)
                .Append(Path.Combine(Fixtures.Root, "README.md"))
                .Select(path => Path.GetRelativePath(Fixtures.Root, path).Replace('\\', '/'))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_command_is_one_that_the_program_takes(string page)
    {
        foreach (string line in Commands(page))
        {
            int dashes = line.IndexOf(" -- ", StringComparison.Ordinal);
            string[] words = dashes < 0 ? [] : [.. Words().Matches(line[(dashes + 4)..]).Select(word => word.Value.Trim('"', '\''))];
            RootCommand root = Cli.Create();
            root.Add(Cli.Telemetry());
            ParseResult parsed = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });

            // A page's paths are the reader's.
            string[] errors =
            [
                .. parsed
                    .Errors.Select(error => error.Message)
                    .Where(error =>
                        !error.Contains("is no path", StringComparison.Ordinal)
                        && !error.Contains("does not exist", StringComparison.Ordinal)
                    ),
            ];
            Assert.True(errors.Length == 0, $"{page}: {line}: {string.Join("; ", errors)}");
            Assert.All(parsed.UnmatchedTokens, word => Assert.True(IsBenchmarkDotNets(word, parsed), $"{page}: {line}: {word}"));
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_option_exists(string page)
    {
        RootCommand root = Cli.Create();
        root.Add(Cli.Telemetry());
        HashSet<string> known =
        [
            .. root.Options.Select(option => option.Name),
            .. root.Subcommands.SelectMany(verb => verb.Options).Select(option => option.Name),
            .. SuiteRunner.BenchmarkDotNetOptions,
            .. s_others,
        ];

        Assert.All(
            Options().Matches(Text(page)).Select(match => match.Value).Distinct(StringComparer.Ordinal),
            option => Assert.True(known.Contains(option, StringComparer.OrdinalIgnoreCase), $"{page} names {option}, and no verb has it")
        );
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Fixtures.Root, page))!;
        foreach (string link in Links().Matches(Text(page)).Select(match => match.Groups["to"].Value))
        {
            string path = link.Split('#')[0];
            Assert.True(
                link.Contains("://", StringComparison.Ordinal) || path.Length == 0 || Path.Exists(Path.Combine(folder, path)),
                $"{page} links to {link}, which is not there"
            );
        }
    }

    [Fact]
    public void The_page_of_options_is_what_help_says()
    {
        string path = Path.Combine(Fixtures.Root, "docs", "options.md");
        if (Environment.GetEnvironmentVariable("LLAMA3PERF_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, OptionsPage());
        }

        Assert.True(
            File.ReadAllText(path) == OptionsPage(),
            "docs/options.md is not what --help says; with LLAMA3PERF_UPDATE_GOLDEN=1 the tests write it"
        );
    }

    [Fact]
    public void The_pages_are_looked_at() => Assert.True(Pages.Sum(page => Commands((string)page!).Count()) > 15);

    private static string OptionsPage()
    {
        RootCommand root = Cli.Create();
        StringBuilder text = new(
            """
            # Options

            Made of `--help` by the tests: with `LLAMA3PERF_UPDATE_GOLDEN=1` they write this page, otherwise they check it. Lists are
            comma-separated. Options of `run` that are not listed here go to BenchmarkDotNet. `--telemetry on` goes with every verb: it leaves
            the telemetry of Microsoft's native libraries as it comes; else it is off.

            """.ReplaceLineEndings("\n")
        );
        foreach (Command verb in root.Subcommands)
        {
            text.Append($"\n## {verb.Name}\n\n{MarkdownTable.Escape(verb.Description ?? "")}\n\n");
            IEnumerable<string[]> arguments = verb.Arguments.Select(argument => (string[])[argument.Name, argument.Description ?? ""]);
            IEnumerable<string[]> options = verb
                .Options.Where(option => !option.Hidden)
                .Select(option =>
                    (string[])[$"{option.Name}{(option.HelpName is { } value ? $" {value}" : "")}", option.Description ?? ""]
                );
            text.Append(MarkdownTable.Write(new TextTable([new("option", false), new("what", false)], [.. arguments, .. options])));
        }

        return text.ToString();
    }

    private static bool IsBenchmarkDotNets(string word, ParseResult parsed) =>
        parsed.UnmatchedTokens[0].StartsWith('-')
        && (!word.StartsWith("--", StringComparison.Ordinal) || SuiteRunner.BenchmarkDotNetOptions.Contains(word));

    private static string Text(string page) => File.ReadAllText(Path.Combine(Fixtures.Root, page));

    private static IEnumerable<string> Commands(string page) =>
        Text(page).Split('\n', '`').Select(line => line.Trim()).Where(line => line.StartsWith(Start, StringComparison.Ordinal));

    // Blanks part words, but not within quotes.
    [GeneratedRegex("\"[^\"]*\"|'[^']*'|[^ ]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Words();

    [GeneratedRegex("(?<![-\\w])--[a-z][a-zA-Z_-]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Options();

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Links();
}
