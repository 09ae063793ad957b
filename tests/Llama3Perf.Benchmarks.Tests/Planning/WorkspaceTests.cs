using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference.Engines.External;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>Which clone a program belongs to, and whether it can build others there.</summary>
public sealed class WorkspaceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-workspace-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_program_belongs_to_the_clone_above_it_else_to_the_one_it_was_started_in()
    {
        string own = Clone("own");
        string current = Clone("current");
        string inner = Directory.CreateDirectory(Path.Combine(own, "artifacts", "bin")).FullName;
        string apart = Directory.CreateDirectory(Path.Combine(_folder, "apart")).FullName;

        Assert.Equal(own, Workspace.RootOf(inner, current));
        Assert.Equal(own, Workspace.RootOf(own, current));
        Assert.Equal(current, Workspace.RootOf(apart, current));
        Assert.Null(Workspace.RootOf(apart, apart));
    }

    [Fact]
    public void These_tests_lie_in_their_clone_which_can_build_programs()
    {
        Assert.Equal(Fixtures.Root, Workspace.RepositoryRoot);
        Assert.Equal(Path.Combine(Fixtures.Root, "artifacts", "models"), Workspace.Models);
        Assert.SkipWhen(PeerCommand.Find("dotnet") is null, "no dotnet on PATH");
        Assert.Null(Workspace.NoBuiltProcesses());
    }

    [Theory]
    [InlineData("/clone", "/clone/bin/", true, null)]
    [InlineData("/clone", "/clone/bin/", false, "no dotnet on PATH")]
    [InlineData(null, "/copy/", true, "no Llama3Perf.sln above this program")]
    [InlineData(
        "/a&b",
        "/a&b/bin/",
        true,
        "the folder /a&b/bin/ has a '&' in its name, which BenchmarkDotNet's generated project does not survive"
    )]
    [InlineData("/c", "/a;b/", true, "the folder /a;b/ has a ';' in its name, which BenchmarkDotNet's generated project does not survive")]
    [InlineData("/c", "/5%b/", true, "the folder /5%b/ has a '%' in its name, which BenchmarkDotNet's generated project does not survive")]
    [InlineData("/clone", "#x", true, "the folder #x has a '#' in its name, which BenchmarkDotNet's generated project does not survive")]
    public void What_keeps_programs_from_being_built_is_named(string? root, string program, bool hasDotnet, string? reason) =>
        Assert.Equal(reason, Workspace.WhyNoBuiltProcesses(root, program, hasDotnet));

    [Fact]
    public void Figures_of_a_program_whose_code_is_not_optimized_mean_nothing() =>
        Assert.Equal(!ScriptedFamily.IsDebugged, Workspace.IsOptimized);

    private string Clone(string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        File.WriteAllText(Path.Combine(folder, "Llama3Perf.sln"), "");
        return folder;
    }
}
