using System.Diagnostics;
using System.Globalization;
using Llama3Perf.Inference.Tests.Native;

namespace Llama3Perf.Inference.Tests.Engines.External;

/// <summary>A peer that ignores every polite word does not outlive the process that started it.</summary>
public sealed class PeerLifeTests
{
    [Fact]
    public void A_peer_dies_with_a_process_that_ends_without_closing_it()
    {
        _ = Peers.Python;

        int id = int.Parse(ChildProcess.Run(ChildScenarios.LeavePeerOpen, null), CultureInfo.InvariantCulture);

        Assert.True(Peers.IsGone(id));
    }

    [Fact]
    public void A_peer_dies_with_a_process_that_is_interrupted()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows sends Ctrl-C to all processes of a console, this test's too");
        _ = Peers.Python;

        using Process process = ChildProcess.Start(ChildScenarios.InterruptWithPeerOpen, null);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        Assert.Equal(128 + 2, process.ExitCode);
        Assert.True(Peers.IsGone(int.Parse(output, CultureInfo.InvariantCulture)));
    }
}
