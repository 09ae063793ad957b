using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using Llama3Perf.Benchmarks.Commands;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>The pages say what the program takes: every command in them is parsed, every option, project, test and native set exists, every
/// link leads somewhere.</summary>
public sealed partial class DocumentTests
{
    private const string Clone = "dotnet run -c Release --project benchmarks";

    // How a page calls the program; a verb stands for itself too.
    private static readonly string[] s_starts = [Clone, "tools/llama3perf", "llama3perf", "-- "];

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
        "--source",
        "--mode",
        "--help",
    };

    public static TheoryData<string> Pages =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Fixtures.Root, "docs"), "*.md", SearchOption.AllDirectories)
                .Concat(
                    ((string[])["README.md", "CONTRIBUTING.md", "benchmarks/peers/README.md"]).Select(page =>
                        Path.Combine(Fixtures.Root, page)
                    )
                )
                .Select(path => Path.GetRelativePath(Fixtures.Root, path).Replace('\\', '/'))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_command_is_one_that_the_program_takes(string page)
    {
        foreach ((string line, bool isWhole) in CommandsIn(Text(page)))
        {
            RootCommand root = Cli.Create();
            root.Add(Cli.Telemetry());
            ParseResult parsed = root.Parse(WordsOf(line), new ParserConfiguration { ResponseFileTokenReplacer = null });

            // A page's paths are the reader's, and a text need not say all that a command needs.
            string[] errors =
            [
                .. parsed
                    .Errors.Select(error => error.Message)
                    .Where(error =>
                        !error.Contains("is no path", StringComparison.Ordinal)
                        && !error.Contains("does not exist", StringComparison.Ordinal)
                        && (isWhole || !Lacking().IsMatch(error))
                    ),
            ];
            Assert.True(errors.Length == 0, $"{page}: {line}: {string.Join("; ", errors)}");
            Assert.All(parsed.UnmatchedTokens, word => Assert.True(IsBenchmarkDotNets(word, parsed), $"{page}: {line}: {word}"));
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_project_test_and_native_set_exists(string page)
    {
        string text = Text(page);
        string sets = Text("NativeSet.props");
        Assert.All(
            Projects().Matches(text).Select(match => match.Groups["name"].Value),
            project => Assert.True(Directory.Exists(Path.Combine(Fixtures.Root, project)), $"{page}: there is no project {project}")
        );
        Assert.All(
            TestClasses().Matches(text).Select(match => match.Groups["name"].Value),
            name =>
                Assert.True(
                    Directory.EnumerateFiles(Path.Combine(Fixtures.Root, "tests"), $"{name}.cs", SearchOption.AllDirectories).Any(),
                    $"{page}: there are no tests {name}"
                )
        );
        Assert.All(
            NativeSets().Matches(text).Select(match => match.Groups["name"].Value),
            set =>
                Assert.True(
                    sets.Contains($"'$(NativeSet)' != '{set}'", StringComparison.Ordinal),
                    $"{page}: NativeSet.props has no set {set}"
                )
        );
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
    public void The_pages_are_looked_at() => Assert.True(Pages.Sum(page => CommandsIn(Text((string)page!)).Count()) > 60);

    [Fact]
    public void Commands_are_found_in_blocks_and_in_lines_whole_and_without_what_is_said_of_them()
    {
        (string, bool)[] found =
        [
            .. CommandsIn(
                "Take `run --until 1%` or\n`verify --provider cuda\n--against-provider cpu`, not `run` or `--until`.\n\n"
                    + "```\nab --baseline-build DIR [--runtime-dir DIR]   # in turn\nllama3perf run --quick \\\n    --launches 1\n"
                    + "ab: pass\n```\n"
                    + "    dotnet run -c Release --project benchmarks -- probe\n"
            ),
        ];

        Assert.Equal(
            [
                ("ab --baseline-build DIR --runtime-dir DIR", true),
                ("llama3perf run --quick --launches 1", true),
                ("dotnet run -c Release --project benchmarks -- probe", true),
                ("run --until 1%", false),
                ("verify --provider cuda --against-provider cpu", false),
            ],
            found
        );
        Assert.Equal(["run", "--label", "a b"], WordsOf("tools/llama3perf run --label \"a b\""));
    }

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

    /// <summary>Our commands in a page, each in one line; those of its blocks are whole.</summary>
    private static IEnumerable<(string Line, bool IsWhole)> CommandsIn(string text)
    {
        string[] verbs = [.. Cli.Create().Subcommands.Select(verb => $"{verb.Name} ")];
        IEnumerable<(string Line, bool IsWhole)> blocks = Blocks()
            .Matches(text)
            .SelectMany(block => ContinuedLine().Replace(block.Value, " ").Split('\n'))
            .Select(line => (Brackets().Replace(Remark().Replace(line, ""), ""), true));
        IEnumerable<(string Line, bool IsWhole)> spans = Spans()
            .Matches(Blocks().Replace(text, ""))
            .Select(span => (span.Groups["text"].Value, false));
        return blocks
            .Concat(spans)
            .Select(found => (Line: Blanks().Replace(found.Line, " ").Trim(), found.IsWhole))
            .Where(found => s_starts.Concat(verbs).Any(start => found.Line.StartsWith(start, StringComparison.Ordinal)));
    }

    private static string[] WordsOf(string line)
    {
        string start = s_starts.FirstOrDefault(start => line.StartsWith(start, StringComparison.Ordinal)) ?? "";
        string rest = line[start.Length..];
        if (start == Clone)
        {
            // What stands before the dashes is for dotnet.
            string[] parts = rest.Split(" -- ", 2);
            Assert.Matches(@"^( -p:\w+=\w+)*$", parts[0]);
            rest = parts.ElementAtOrDefault(1) ?? "";
        }

        return [.. Words().Matches(rest).Select(word => word.Value.Trim('"', '\''))];
    }

    [GeneratedRegex(@"^Required argument|is required\.$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Lacking();

    // What is left out at will stands in brackets.
    [GeneratedRegex(@"[\[\]]", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Brackets();

    // Between fences, and what is indented.
    [GeneratedRegex("(?m)^```[^\n]*\n(?:.*\n)*?```|^ {4}.*$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Blocks();

    [GeneratedRegex("`(?<text>[^`]+)`", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Spans();

    [GeneratedRegex(@"\\\r?\n", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ContinuedLine();

    [GeneratedRegex(@"\s+#.*$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Remark();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Blanks();

    [GeneratedRegex(@"--project (?<name>[\w./-]+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Projects();

    [GeneratedRegex(@"--filter-class ['""]\*(?<name>\w+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex TestClasses();

    [GeneratedRegex(@"-p:NativeSet=(?<name>\w+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex NativeSets();

    // Blanks part words, but not within quotes.
    [GeneratedRegex("\"[^\"]*\"|'[^']*'|[^ ]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Words();

    [GeneratedRegex("(?<![-\\w])--[a-z][a-zA-Z_-]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Options();

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Links();
}
