using System.Diagnostics;

namespace Llama3Perf.Inference.Tests.Engines.External;

/// <summary>The tests of the Python programs themselves, so that they run wherever the others do.</summary>
public sealed class PeerProgramTests
{
    [Fact]
    public async Task Their_own_tests_pass()
    {
        var start = new ProcessStartInfo(Peers.Python, ["-B", "-m", "unittest", "discover", Path.Combine("tests", "peers")])
        {
            WorkingDirectory = Fixtures.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using Process python = Process.Start(start)!;
        Task<string> output = python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string report = await python.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await python.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(python.ExitCode == 0, await output + report);
        Assert.Matches(@"Ran [1-9]\d* tests", report);
    }
}
