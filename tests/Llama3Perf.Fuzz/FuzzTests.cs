using System.Globalization;

namespace Llama3Perf.Fuzz;

/// <summary>
/// Every reader holds against damaged inputs. A few thousand inputs with the other tests; as many as wanted for each reader with
/// <c>LLAMA3PERF_FUZZ_INPUTS=1000000 dotnet test -c Release --project tests/Llama3Perf.Fuzz</c>, another sequence with
/// <c>LLAMA3PERF_FUZZ_SEED</c>, only some readers (comma-separated) with <c>LLAMA3PERF_FUZZ_READERS</c>, and for at most so long a reader
/// with <c>LLAMA3PERF_FUZZ_SECONDS</c>. Findings are kept in artifacts/fuzz.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private const int UsualInputs = 400;
    private static readonly TimeSpan s_usualTime = TimeSpan.FromSeconds(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-fuzz-").FullName;

    public static TheoryData<string> Readers =>
        [.. Environment.GetEnvironmentVariable("LLAMA3PERF_FUZZ_READERS")?.Split(',') ?? FuzzTargets.Names];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Readers))]
    public void Reads_or_refuses_as_documented(string reader)
    {
        long? asked = Number("LLAMA3PERF_FUZZ_INPUTS");
        FuzzTarget target = FuzzTargets.Create(reader, _folder);
        foreach (byte[] seed in target.Seeds)
        {
            target.Read(seed);
        }

        // The long run holds each input to two seconds; a machine that is busy with other tests may stop for longer at any place.
        FuzzRun run = FuzzRun.Of(
            target,
            asked ?? UsualInputs,
            (int)(Number("LLAMA3PERF_FUZZ_SEED") ?? 1),
            asked is null ? s_usualTime
                : Number("LLAMA3PERF_FUZZ_SECONDS") is { } seconds ? TimeSpan.FromSeconds(seconds)
                : TimeSpan.MaxValue,
            TimeSpan.FromSeconds(asked is null ? 60 : 2)
        );

        TestContext.Current.TestOutputHelper?.WriteLine(Line(reader, run));
        if (asked is not null)
        {
            File.AppendAllText(
                Path.Combine(Directory.CreateDirectory(Path.Combine(Fixtures.Root, "artifacts", "fuzz")).FullName, "counts.txt"),
                Line(reader, run) + "\n"
            );
        }

        Assert.Empty(run.Findings);
        Assert.True(run.Inputs > 0 && target.Refuses == run.Refused > 0, Line(reader, run));
    }

    private static string Line(string reader, FuzzRun run) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{reader}: {run.Inputs} inputs, {run.Refused} refused, {run.Findings.Count} findings, slowest "
                + $"{run.Slowest.TotalMilliseconds:0} ms, most allocated {run.Largest / 1e6:0.0} MB"
        );

    private static long? Number(string variable) =>
        long.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : null;
}
