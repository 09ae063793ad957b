using System.Text.RegularExpressions;

namespace Llama3Perf.Models.Tests;

/// <summary>
/// Folders of a project use one another in one direction only, and a file's namespace is its folder. A folder uses another when its code
/// names one of its types and can see it: by a using, from a namespace above its own, or behind the namespace's last part.
/// </summary>
public sealed partial class FolderRuleTests
{
    private const string Top = "(top)";
    private const string Entry = "Program.cs";
    private const int Patience = 10_000;

    private static readonly Dictionary<string, string> s_projects = new(StringComparer.Ordinal)
    {
        ["src/Llama3Perf.Models"] = "Llama3Perf.Models",
        ["src/Llama3Perf.Inference"] = "Llama3Perf.Inference",
        ["src/Llama3Perf.Results"] = "Llama3Perf.Results",
        ["benchmarks"] = "Llama3Perf.Benchmarks",
    };

    // Circles that are still to be cut, by project: the test fails as well when one of them is gone, so that the list can only shrink.
    private static readonly Dictionary<string, string[]> s_pending = new(StringComparer.Ordinal) { };

    /// <summary>The projects, for the theories.</summary>
    public static TheoryData<string> Projects => [.. s_projects.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Folders_use_one_another_in_one_direction(string project)
    {
        SourceFile[] files = Read(project);
        ILookup<string, string> uses = Uses(files);
        foreach (IGrouping<string, string> folder in uses.OrderBy(folder => folder.Key, StringComparer.Ordinal))
        {
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{project}/{folder.Key} -> {string.Join(", ", folder.Order(StringComparer.Ordinal))}"
            );
        }

        Assert.Equal(s_pending.GetValueOrDefault(project, []), Circles(uses));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_namespace_is_its_folder(string project) =>
        Assert.All(
            Read(project).Where(file => file.Folder != Entry),
            file =>
                Assert.Equal(
                    file.Folder == Top ? s_projects[project] : $"{s_projects[project]}.{file.Folder.Replace('/', '.')}",
                    file.Namespace
                )
        );

    [Fact]
    public void A_circle_over_three_folders_is_found()
    {
        SourceFile[] files =
        [
            Parse("A", "using P.B;\nnamespace P.A;\npublic class InA { InB? _field; }"),
            Parse("B", "namespace P.B;\ninternal sealed record InB(C.InC Value);"),
            Parse("C", "using P.A;\nnamespace P.C;\ninternal static class InC { static InA Make() => new(); }"),
            Parse("D", "using P.A;\nnamespace P.D; // InA in a comment\ninternal enum InD { }"),
            Parse("A", "using P.D;\nnamespace P.A;\ninternal class UsesD { InD _field; }"),
        ];

        Assert.Equal(["A, B, C"], Circles(Uses(files)));
    }

    /// <summary>Groups of folders that reach one another, each as its names in order.</summary>
    private static string[] Circles(ILookup<string, string> uses)
    {
        string[] folders = [.. uses.Select(folder => folder.Key)];
        Dictionary<string, HashSet<string>> reach = folders.ToDictionary(
            folder => folder,
            folder => Reach(folder, uses),
            StringComparer.Ordinal
        );
        return
        [
            .. folders
                .Where(folder => reach[folder].Contains(folder))
                .Select(folder =>
                    string.Join(
                        ", ",
                        reach[folder]
                            .Where(other => reach.TryGetValue(other, out HashSet<string>? back) && back.Contains(folder))
                            .Order(StringComparer.Ordinal)
                    )
                )
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
    }

    private static HashSet<string> Reach(string folder, ILookup<string, string> uses)
    {
        HashSet<string> reached = new(StringComparer.Ordinal);
        Queue<string> next = new(uses[folder]);
        while (next.TryDequeue(out string? other))
        {
            if (reached.Add(other))
            {
                foreach (string further in uses[other])
                {
                    next.Enqueue(further);
                }
            }
        }

        return reached;
    }

    /// <summary>Folder to the other folders whose types its code uses.</summary>
    private static ILookup<string, string> Uses(SourceFile[] files)
    {
        ILookup<string, SourceFile> homes = files
            .SelectMany(file => file.Types.Select(type => (Name: type, File: file)))
            .ToLookup(type => type.Name, type => type.File, StringComparer.Ordinal);
        return files
            .SelectMany(file =>
                file.Words.SelectMany(word =>
                    homes[word].Where(home => Sees(file, home, word)).Select(home => (From: file.Folder, To: home.Folder))
                )
            )
            .Where(use => use.From != use.To)
            .Distinct()
            .ToLookup(use => use.From, use => use.To, StringComparer.Ordinal);
    }

    private static bool Sees(SourceFile file, SourceFile home, string type) =>
        file.Usings.Contains(home.Namespace)
        || file.Namespace.StartsWith(home.Namespace + ".", StringComparison.Ordinal)
        || file.Code.Contains($"{home.Namespace[(home.Namespace.LastIndexOf('.') + 1)..]}.{type}", StringComparison.Ordinal);

    private static SourceFile[] Read(string project)
    {
        string root = Path.Combine(Fixtures.Root, project);
        return
        [
            .. Directory
                .EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
                .Select(file =>
                {
                    string path = Path.GetRelativePath(root, file).Replace('\\', '/');
                    int end = path.LastIndexOf('/');
                    return Parse(
                        path == Entry ? Entry
                            : end < 0 ? Top
                            : path[..end],
                        File.ReadAllText(file)
                    );
                }),
        ];
    }

    private static SourceFile Parse(string folder, string text)
    {
        string code = NotCode().Replace(text, "");
        return new SourceFile(
            folder,
            Namespace().Match(code).Groups["name"].Value,
            [.. Using().Matches(code).Select(line => line.Groups["name"].Value)],
            [.. TypeDeclaration().Matches(code).Select(type => type.Groups["name"].Value)],
            [.. Word().Matches(code).Select(word => word.Value)],
            code
        );
    }

    // A type at the left margin; nested types are known by the one that holds them.
    [GeneratedRegex(
        @"^((public|internal|file|static|sealed|abstract|readonly|partial|unsafe|ref) )*"
            + @"(class|record struct|record class|record|struct|interface|enum|delegate [\w<>\[\]?]+) (?<name>\w+)",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        Patience
    )]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"^using (static )?(?<name>[\w.]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, Patience)]
    private static partial Regex Using();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture, Patience)]
    private static partial Regex Namespace();

    // Comments, and the text of ordinary strings: interpolated ones have code in their holes.
    [GeneratedRegex(@"//.*|(?<!\$)""(\\.|[^""\\\n])*""", RegexOptions.ExplicitCapture, Patience)]
    private static partial Regex NotCode();

    [GeneratedRegex(@"\b[A-Z]\w+\b", RegexOptions.None, Patience)]
    private static partial Regex Word();

    /// <summary>What the rules read of a file.</summary>
    private sealed record SourceFile(
        string Folder,
        string Namespace,
        HashSet<string> Usings,
        string[] Types,
        HashSet<string> Words,
        string Code
    );
}
