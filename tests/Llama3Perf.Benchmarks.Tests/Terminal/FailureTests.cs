using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Models;
using Llama3Perf.Results;

namespace Llama3Perf.Benchmarks.Tests.Terminal;

/// <summary>However the program ends, a user reads one line.</summary>
[Collection(nameof(CliSession))]
public sealed class FailureTests
{
    public static TheoryData<Exception, int, string> Expected { get; } =
        new()
        {
            { new UsageException("--x: no"), ExitCode.Usage, "error: --x: no\n" },
            { new ModelException("a model\nof two lines"), ExitCode.Input, "error: a model of two lines\n" },
            { new EngineException("an engine"), ExitCode.Input, "error: an engine\n" },
            { new RunFileException("a file"), ExitCode.Input, "error: a file\n" },
            { new OperationCanceledException(), ExitCode.Interrupted, "error: interrupted; nothing half-written is left\n" },
            {
                new InsufficientMemoryException(),
                ExitCode.Input,
                "error: memory ran out; a smaller model, fewer threads or a machine with more of it\n"
            },
            { new IOException("No space left on device"), ExitCode.Input, "error: No space left on device\n" },
            { new TypeInitializationException("T", new ModelException("inside")), ExitCode.Input, "error: inside\n" },
            { new AggregateException(new EngineException("alone")), ExitCode.Input, "error: alone\n" },
        };

    [Theory]
    [MemberData(nameof(Expected))]
    public void What_a_user_can_mend_is_one_line(Exception exception, int exitCode, string line) =>
        Assert.Equal((exitCode, line), Shown(exception));

    [Fact]
    public void What_nobody_expected_is_one_line_with_a_file_that_tells_the_rest()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        (int exitCode, string line) = Shown(new InvalidTimeZoneException($"of {home}/zone\nand more"));

        Assert.Equal(ExitCode.Bug, exitCode);
        Assert.StartsWith("error: this is a bug of the suite: InvalidTimeZoneException: of ", line, StringComparison.Ordinal);
        Assert.Equal(1, line.Count(c => c == '\n'));
        string file = line.Split("please report it with ")[1].Trim();
        string report = File.ReadAllText(file);
        File.Delete(file);
        Assert.Contains("System.InvalidTimeZoneException: of ~/zone", report, StringComparison.Ordinal);
        Assert.DoesNotContain($"{home}/", report, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Error) Shown(Exception exception)
    {
        TextWriter error = Console.Error;
        using StringWriter captured = new() { NewLine = "\n" };
        Console.SetError(captured);
        try
        {
            return (Failure.Show(exception), captured.ToString());
        }
        finally
        {
            Console.SetError(error);
        }
    }
}
