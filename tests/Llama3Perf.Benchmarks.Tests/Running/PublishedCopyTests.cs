using System.Diagnostics;
using Llama3Perf.Inference.Native;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>The program outside a clone, as a published copy is: it measures in processes of its own, without the SDK.</summary>
public sealed class PublishedCopyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-published-").FullName;

    public void Dispose()
    {
        Protect(isWritable: true);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Measures_every_engine_in_processes_of_its_own()
    {
        string program = Link();
        // As where an administrator installed it; rights do not bind root.
        Protect(isWritable: false);
        using Process process = Process.Start(
            new ProcessStartInfo(
                Path.Combine(program, ProgramProcess.FileName),
                ["--quick", "--model", "llama-tiny", "--prompt", "pp8", "--max-length", "16", "--iterations", "2", "--output", "run"]
            )
            {
                WorkingDirectory = _folder,
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, output + await error);
        Assert.Contains(
            "Measuring in processes of this program itself: no Llama3Perf.sln above this program",
            output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("building the measuring process", output, StringComparison.Ordinal);
        Run run = RunReader.Read(Path.Combine(_folder, "run")).Single();
        Assert.Equal(
            NativeLibraries.PackagedSet == "Cpu" ? ["llama.cpp", "ort"] : ["genai", "llama.cpp", "ort"],
            run.Cases.Select(outcome => outcome.Case.Engine).Order(StringComparer.Ordinal)
        );
        Assert.All(
            run.Cases,
            outcome =>
            {
                Assert.Equal(CaseStatus.Ok, outcome.Status);
                Assert.Equal(2, outcome.Samples.Count);
                Assert.All(outcome.Samples, sample => Assert.NotNull(sample.ModelLoadMs));
            }
        );
        Assert.Single(
            run.Cases.Where(outcome => outcome.Case.Engine != "llama.cpp").Select(outcome => outcome.Samples[0].OutputSha256).Distinct()
        );
    }

    private void Protect(bool isWritable)
    {
        if (!OperatingSystem.IsWindows() && Directory.Exists(Path.Combine(_folder, "program")))
        {
            UnixFileMode usual = UnixFileMode.UserRead | UnixFileMode.UserExecute;
            File.SetUnixFileMode(Path.Combine(_folder, "program"), isWritable ? usual | UnixFileMode.UserWrite : usual);
        }
    }

    // The runtime asks where the program's file really lies, so that one is copied; what it loads may be links (on Windows, where those
    // need rights, all are copies). Runs of other tests hold
    // locks in the folder, whose names begin with a dot.
    private string Link()
    {
        string program = Directory.CreateDirectory(Path.Combine(_folder, "program")).FullName;
        foreach (string source in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(source).StartsWith('.'))
            {
                continue;
            }

            string target = Path.Combine(program, Path.GetRelativePath(AppContext.BaseDirectory, source));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (Path.GetExtension(source) is ".so" or ".dylib")
            {
                File.CreateSymbolicLink(target, source);
            }
            else
            {
                File.Copy(source, target);
            }
        }

        return program;
    }
}
