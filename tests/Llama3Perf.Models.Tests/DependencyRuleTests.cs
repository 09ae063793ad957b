using System.Xml.Linq;

namespace Llama3Perf.Models.Tests;

/// <summary>Models and Results stand alone, Inference stands on Models, and only the program knows BenchmarkDotNet.</summary>
public sealed class DependencyRuleTests
{
    private static readonly Dictionary<string, string[]> s_allowed = new(StringComparer.Ordinal)
    {
        ["Llama3Perf.Models"] = [],
        ["Llama3Perf.Results"] = [],
        ["Llama3Perf.Inference"] = ["Llama3Perf.Models"],
        ["Llama3Perf.Benchmarks"] = ["Llama3Perf.Inference", "Llama3Perf.Models", "Llama3Perf.Results"],
    };

    [Fact]
    public void Every_project_of_the_program_has_a_rule() =>
        Assert.Equal(s_allowed.Keys.Order(StringComparer.Ordinal), Projects().Select(p => p.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void Projects_reference_only_what_their_rule_allows() =>
        Assert.All(Projects(), project => Assert.Subset(s_allowed[project.Name].ToHashSet(), References(project.File, "ProjectReference")));

    [Fact]
    public void Only_the_program_references_BenchmarkDotNet() =>
        Assert.Equal(
            ["Llama3Perf.Benchmarks"],
            Projects()
                .Where(project =>
                    References(project.File, "PackageReference").Any(p => p.StartsWith("BenchmarkDotNet", StringComparison.Ordinal))
                )
                .Select(project => project.Name)
        );

    [Theory]
    [InlineData("Llama3Perf.Models")]
    [InlineData("Llama3Perf.Results")]
    public void Models_and_Results_know_no_ONNX_Runtime(string name)
    {
        string file = Projects().Single(project => project.Name == name).File;

        Assert.DoesNotContain(
            References(file, "PackageReference"),
            p => p.StartsWith("Microsoft.ML.OnnxRuntime", StringComparison.Ordinal)
        );
    }

    private static (string Name, string File)[] Projects() =>
        [
            .. ((string[])["src", "benchmarks"])
                .SelectMany(folder =>
                    Directory.EnumerateFiles(Path.Combine(Fixtures.Root, folder), "*.csproj", SearchOption.AllDirectories)
                )
                .Select(file => (Path.GetFileNameWithoutExtension(file), file)),
        ];

    private static HashSet<string> References(string file, string kind) =>
        [
            .. XDocument
                .Load(file)
                .Descendants(kind)
                .Select(e => (string)e.Attribute("Include")!)
                .Select(include => kind == "ProjectReference" ? Path.GetFileNameWithoutExtension(include.Replace('\\', '/')) : include),
        ];
}
