using CsCheck;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>Result files name nobody's home folder, and what they hold is read back exactly.</summary>
public sealed class HomePathsTests : IDisposable
{
    private static readonly string s_home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-home-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("{0}", "~")]
    [InlineData("{0}/models/x", "~/models/x")]
    [InlineData("'{0}/x' is truncated; and {0}/y", "'~/x' is truncated; and ~/y")]
    [InlineData("a={0}/x,{0}/y", "a=~/x,~/y")]
    [InlineData("{0}er/x", "{0}er/x")]
    [InlineData("{0}-2/x", "{0}-2/x")]
    [InlineData("/mnt{0}/x", "/mnt{0}/x")]
    [InlineData("", "")]
    public void The_home_folder_is_a_tilde(string text, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || s_home.Length < 2, "the paths are Unix's, and there must be a home folder");

        Assert.Equal(string.Format(null, expected, s_home), HomePaths.Shown(string.Format(null, text, s_home)));
    }

    [Fact]
    public void The_home_folder_in_other_letters_is_another_one_where_letters_count()
    {
        string other = s_home.ToUpperInvariant();
        Assert.SkipWhen(OperatingSystem.IsWindows() || other == s_home, "letter case is nothing there");

        Assert.Equal(other, HomePaths.Shown(other));
    }

    [Fact]
    public void The_home_folder_of_a_library_is_the_programs() =>
        Assert.Equal(
            ["runtimes/x/native/lib.so", "/usr/lib/lib.so"],
            new[] { Path.Combine(AppContext.BaseDirectory, "runtimes", "x", "native", "lib.so"), "/usr/lib/lib.so" }.Select(
                HomePaths.OfLibrary
            )
        );

    [Fact]
    public void An_argument_is_read_back_exactly() =>
        Gen.OneOf(Gen.Const("~"), Gen.Const(s_home), Gen.Const("/"), Gen.Char["a~/=, "].Select(c => c.ToString()))
            .Array[0, 12]
            .Select(parts => string.Concat(parts))
            .Sample(argument => Assert.Equal(argument, HomePaths.Expand(HomePaths.Collapse(argument))), iter: 2000);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_below_the_home_folder_does_not_name_it(bool isKept)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "HOME is Unix's");
        string bad = Path.Combine(_folder, "bad");
        Directory.CreateDirectory(bad);
        File.WriteAllText(Path.Combine(bad, "genai_config.json"), "{");
        string run = Path.Combine(_folder, "run");
        string[] kept = isKept ? ["--keep-paths"] : [];

        (int exitCode, _, _) = ProgramProcess.Run(
            _folder,
            [
                .. "run --engine ort --quick --isolation none --prompt pp4 --max-length 8 --iterations 1 --model".Split(' '),
                $"{bad},llama-tiny",
                "--output",
                run,
                .. kept,
            ],
            ("HOME", _folder)
        );

        Assert.Equal(1, exitCode);
        Assert.Equal([CaseStatus.Failed, CaseStatus.Ok], RunReader.Read(run).Single().Cases.Select(outcome => outcome.Status));
        string[] naming =
        [
            .. Directory.EnumerateFiles(run).Where(file => File.ReadAllText(file).Contains(_folder, StringComparison.Ordinal)),
        ];
        Assert.Equal(isKept, naming.Length > 0);
        string results = File.ReadAllText(Path.Combine(run, "results.csv"));
        Assert.Contains(isKept ? $"{bad}/genai_config.json" : "~/bad/genai_config.json", results, StringComparison.Ordinal);
        Assert.Equal(isKept, results.Contains(AppContext.BaseDirectory, StringComparison.Ordinal));
        Assert.Contains(
            isKept ? _folder : "~/bad,llama-tiny",
            File.ReadAllText(Path.Combine(run, "invocation.json")),
            StringComparison.Ordinal
        );
    }
}
