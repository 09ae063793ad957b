using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Tests.Commands;

namespace Llama3Perf.Benchmarks.Tests.Harness;

[Collection(nameof(CliSession))]
public sealed class ProcessStateTests
{
    [Fact]
    public void Variables_and_directory_come_back()
    {
        const string there = "LLAMA3PERF_TEST_THERE";
        const string absent = "LLAMA3PERF_TEST_ABSENT";
        Environment.SetEnvironmentVariable(there, "before");
        string directory = Environment.CurrentDirectory;
        try
        {
            using (ProcessState process = new())
            {
                process.Set(there, "once");
                process.Set(there, "twice");
                process.Set(absent, "now");
                Environment.CurrentDirectory = Path.GetTempPath();

                Assert.Equal(("twice", "now"), (Environment.GetEnvironmentVariable(there), Environment.GetEnvironmentVariable(absent)));
            }

            Assert.Equal(("before", null), (Environment.GetEnvironmentVariable(there), Environment.GetEnvironmentVariable(absent)));
            Assert.Equal(directory, Environment.CurrentDirectory);
        }
        finally
        {
            Environment.SetEnvironmentVariable(there, null);
        }
    }
}
