using System.Diagnostics;
using System.IO.Compression;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference.Native;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>
/// The packages as others take them: packed into a folder, the tool installed from there under a home of its own, and run outside the
/// repository. It packs a Release build, which takes minutes where there is none yet.
/// </summary>
public sealed class PackedToolTests : IDisposable
{
    private const string Switch = "LLAMA3PERF_PACK";

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-packed-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_tool_from_a_folder_of_packages_measures_compares_judges_and_reports()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable(Switch) == "1", $"{Switch}=1 packs, installs and runs the tool, in minutes");
        string packages = Path.Combine(_folder, "packages");
        Expect(0, Start("dotnet", Fixtures.Root, "pack", "-c", "Release", "--output", packages, "-v", "q", "--nologo"));
        Assert.Equal(
            ["Llama3Perf.Inference", "Llama3Perf.Models", "Llama3Perf.Results", "Llama3Perf.Tool"],
            Directory.EnumerateFiles(packages, "*.nupkg").Select(NameOf).Order(StringComparer.Ordinal)
        );
        Assert.Contains(
            $"Native set {NativeLibraries.PackagedSet} for",
            Description(Directory.GetFiles(packages, "Llama3Perf.Tool.*.nupkg").Single()),
            StringComparison.Ordinal
        );
        Expect(0, InHome("dotnet", "tool", "install", "Llama3Perf.Tool", "--tool-path", "tools", "--source", packages));

        Assert.Contains($"Native set of this build: {NativeLibraries.PackagedSet}.", Tool(0, "probe"), StringComparison.Ordinal);
        string[] measured = ["--quick", "--model", "llama-tiny", "--precision", "int4", "--prompt", "pp8", "--max-length", "16"];
        Assert.Contains("Measuring in processes of this program itself", Tool(0, [.. measured, "--output", "a"]), StringComparison.Ordinal);
        Tool(0, [.. measured, "--output", "b"]);
        Run run = RunReader.Read(Path.Combine(_folder, "b")).Single();
        Assert.NotEmpty(run.Cases);
        Assert.All(run.Cases, outcome => Assert.Equal((CaseStatus.Ok, null), (outcome.Status, outcome.Error)));

        Assert.Contains("decode_tps", Tool(0, "compare", "a", "b"), StringComparison.Ordinal);
        // One launch a side proves nothing: it is inconclusive, and exit code 3 says so.
        Assert.Contains("Gate: ", Tool(3, "gate", "--baseline", "a", "--current", "b"), StringComparison.Ordinal);
        Tool(0, "report", "a", "b", "--output", "report.html");
        Assert.Contains("<title>Llama3Perf report", File.ReadAllText(Path.Combine(_folder, "report.html")), StringComparison.Ordinal);
    }

    private string Tool(int exitCode, params string[] arguments) =>
        Expect(exitCode, InHome(Path.Combine(_folder, "tools", "llama3perf"), arguments));

    // Nothing of this user's: no settings, no packages, no tools; and nothing that these tests told the program.
    private ProcessStartInfo InHome(string program, params string[] arguments)
    {
        ProcessStartInfo start = Start(program, _folder, arguments);
        string home = Directory.CreateDirectory(Path.Combine(_folder, "home")).FullName;
        foreach (string name in (string[])["HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "DOTNET_CLI_HOME"])
        {
            start.Environment[name] = home;
        }

        foreach (
            string name in (string[])
                [
                    "NUGET_PACKAGES",
                    "XDG_CACHE_HOME",
                    "XDG_DATA_HOME",
                    "XDG_CONFIG_HOME",
                    MeasurableBuild.Variable,
                    "DOTNET_TieredPGO",
                    "DOTNET_TieredCompilation",
                ]
        )
        {
            start.Environment.Remove(name);
        }

        return start;
    }

    private static ProcessStartInfo Start(string program, string folder, params string[] arguments) =>
        new(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

    private static string Expect(int exitCode, ProcessStartInfo start)
    {
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string command = $"{start.FileName} {string.Join(' ', start.ArgumentList)}";
        TestContext.Current.TestOutputHelper!.WriteLine($"{command}: {process.ExitCode}\n{output}{error.Result}");
        Assert.True(process.ExitCode == exitCode, $"{command}: exit code {process.ExitCode}, not {exitCode}\n{output}{error.Result}");
        return output;
    }

    // Behind the name stands the version, which begins with a digit.
    private static string NameOf(string package) =>
        string.Join('.', Path.GetFileName(package).Split('.').TakeWhile(part => !char.IsAsciiDigit(part[0])));

    private static string Description(string package)
    {
        using ZipArchive archive = ZipFile.OpenRead(package);
        using StreamReader reader = new(archive.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open());
        return reader.ReadToEnd();
    }
}
