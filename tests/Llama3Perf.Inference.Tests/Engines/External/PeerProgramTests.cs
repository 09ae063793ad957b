using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Llama3Perf.Inference.Tests.Engines.External;

/// <summary>The tests of the Python programs themselves, each counted as one of ours: they run once, all together.</summary>
public sealed partial class PeerProgramTests(PeerProgramTests.PythonRun run) : IClassFixture<PeerProgramTests.PythonRun>
{
    private const int Patience = 10_000;

    /// <summary>Every test in <c>tests/peers</c>, as module and name.</summary>
    public static TheoryData<string, string> PythonTests =>
        [
            .. Directory
                .EnumerateFiles(Folder, "test_*.py")
                .Order(StringComparer.Ordinal)
                .SelectMany(file =>
                    Definition()
                        .Matches(File.ReadAllText(file))
                        .Select(test => (Path.GetFileNameWithoutExtension(file), test.Groups["name"].Value))
                ),
        ];

    private static string Folder => Path.Combine(Fixtures.Root, "tests", "peers");

    [Theory]
    [MemberData(nameof(PythonTests))]
    public async Task Python_test(string module, string name)
    {
        (string report, Dictionary<string, string> outcomes) = await run.Report;

        string outcome = outcomes.GetValueOrDefault($"{module}.{name}", "did not run");
        Assert.SkipWhen(outcome.StartsWith("skipped ", StringComparison.Ordinal), outcome);
        Assert.True(outcome == "ok", $"{outcome}\n{report}");
    }

    [GeneratedRegex(@"^    def (?<name>test_\w+)\(self", RegexOptions.Multiline | RegexOptions.ExplicitCapture, Patience)]
    private static partial Regex Definition();

    // test_good (test_fake_peer.FakePeerTests.test_good) ... ok
    [GeneratedRegex(
        @"^(?<name>test_\w+) \((?<module>\w+)\..*\.\.\. (?<outcome>ok|skipped .*|FAIL|ERROR)\r?$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        Patience
    )]
    private static partial Regex Outcome();

    /// <summary>One run of all Python tests.</summary>
    public sealed class PythonRun
    {
        private readonly Lazy<Task<(string, Dictionary<string, string>)>> _report = new(Run);

        /// <summary>What Python printed, and how each test ended by module and name.</summary>
        public Task<(string Text, Dictionary<string, string> Outcomes)> Report => _report.Value;

        private static async Task<(string, Dictionary<string, string>)> Run()
        {
            ProcessStartInfo start = new(Peers.Python, ["-B", "-m", "unittest", "discover", "-v", Folder])
            {
                WorkingDirectory = Fixtures.Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
            using Process python = Process.Start(start)!;
            Task<string> output = python.StandardOutput.ReadToEndAsync();
            string report = await python.StandardError.ReadToEndAsync();
            await python.WaitForExitAsync();
            return (
                report + await output,
                Outcome()
                    .Matches(report)
                    .ToDictionary(
                        test => $"{test.Groups["module"].Value}.{test.Groups["name"].Value}",
                        test => test.Groups["outcome"].Value,
                        StringComparer.Ordinal
                    )
            );
        }
    }
}
