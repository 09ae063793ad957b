using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Comparison;

public sealed class VaryTests
{
    [Fact]
    public void The_one_field_that_differs_is_found()
    {
        Run[] drivers =
        [
            .. new[] { "31.0.1", "31.0.2", "32.0.1" }.Select((version, i) => Run($"r{i}").In(e => e with { GpuDriverVersion = version })),
        ];
        RunComparison comparison = Compare(drivers);
        Assert.Equal(["gpu_driver_version"], comparison.Vary);
        Assert.Equal(
            ["gpu_driver_version=31.0.1", "gpu_driver_version=31.0.2", "gpu_driver_version=32.0.1"],
            comparison.Sides.Select(side => side.Label)
        );
        Assert.Equal(["build_commit"], Compare(Run("a"), Run("b").Built("feed")).Vary);
        Assert.Empty(Compare(Run("a"), Run("b")).Vary);
    }

    [Fact]
    public void Threads_are_varied_when_they_are_all_that_differs()
    {
        RunComparison comparison = Compare(Run("a", [Case with { Threads = 1 }]), Run("b", [Case with { Threads = 2 }]));
        Assert.Equal(["threads"], comparison.Vary);
        Assert.NotNull(comparison.Rows[0].Cells[1]!.Judgement);
        Assert.Empty(comparison.Unmatched);
    }

    [Fact]
    public void More_than_one_field_is_refused_with_their_names_and_values()
    {
        Run other = Run("b", [Case with { Threads = 4 }]).In(e => e with { OrtVersion = "1.24.4" });
        string message = Assert.Throws<RunFileException>(() => Compare(Run("a"), other)).Message;
        Assert.Equal(
            "the runs differ in ort_version (1.31.1 | 1.24.4), threads (2 | 4); name what is compared with --vary ort_version,threads, or "
                + "measure again with the rest alike",
            Sorted(message)
        );
        Assert.Equal(["ort_version", "threads"], Compare(["ort_version", "threads"], Run("a"), other).Vary);

        string also = Assert.Throws<RunFileException>(() => Compare(["threads"], Run("a"), other)).Message;
        Assert.Contains("ort_version (1.31.1 | 1.24.4) besides threads", also, StringComparison.Ordinal);
        Assert.Contains("--vary threads,ort_version", also, StringComparison.Ordinal);

        // The order of the columns is the schema's business.
        static string Sorted(string text) =>
            text.Replace(
                    "threads (2 | 4), ort_version (1.31.1 | 1.24.4)",
                    "ort_version (1.31.1 | 1.24.4), threads (2 | 4)",
                    StringComparison.Ordinal
                )
                .Replace("threads,ort_version", "ort_version,threads", StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_is_not_the_same_as_known()
    {
        RunComparison comparison = Compare(Run("a"), Run("b").In(e => e with { OrtVersion = null }));
        Assert.Equal(["ort_version=1.31.1", "ort_version=unknown"], comparison.Sides.Select(side => side.Label));
    }

    [Fact]
    public void What_follows_from_a_field_need_not_be_named()
    {
        CaseKey half = Case with { Precision = "fp16", BlockSize = null, ModelSha256 = new string('d', 64) };
        Assert.Equal(["precision"], Compare(Run("a"), Run("b", [half])).Vary);
        Assert.Equal(
            ["machine_id"],
            Compare(
                Run("a"),
                Run("b", [Case with { Threads = 8 }]).In(e => e with { MachineId = "m2", OsBuild = "Windows", GpuName = "GPU" })
            ).Vary
        );
        Assert.Throws<RunFileException>(() => Compare(Run("a"), Run("b", [half]).In(e => e with { OsBuild = "Windows" })));
    }

    [Fact]
    public void Leftovers_beside_matching_cases_are_missing_and_not_varied()
    {
        RunComparison comparison = Compare(Run("a", [Case, Case with { Threads = 1 }]), Run("b", [Case, Case with { Threads = 4 }]));
        Assert.Empty(comparison.Vary);
        Assert.Equal(2, comparison.Unmatched.Count);
    }

    [Fact]
    public void A_run_is_split_by_a_varied_field_of_its_cases()
    {
        CaseKey other = Case with { Engine = "genai" };
        RunComparison alone = Compare(["engine"], Run("a", [Case, other]));
        Assert.Equal(["engine=ort", "engine=genai"], alone.Sides.Select(side => side.Label));
        Assert.NotNull(alone.Rows[0].Cells[1]!.Judgement);

        RunComparison two = Compare(["engine"], Run("a", [Case, other]), Run("b", [Case, other]));
        Assert.Equal(["a engine=ort", "a engine=genai", "b engine=ort", "b engine=genai"], two.Sides.Select(side => side.Label));
        Assert.Empty(two.Unmatched);
    }

    [Fact]
    public void Cases_that_an_ignored_field_tells_apart_are_refused()
    {
        CaseKey other = Case with { BlockSize = 128, ModelSha256 = new string('d', 64) };
        string message = Assert.Throws<RunFileException>(() => Compare(["precision"], Run("a", [Case, other]), Run("b", [Case]))).Message;
        Assert.Contains("differ only in", message, StringComparison.Ordinal);
        Assert.Contains("block_size", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_without_a_case_in_common_list_all_of_them()
    {
        Run empty = new(Run("b").Identity, Run("b").Environment, []);
        RunComparison comparison = Compare(Run("a"), empty);
        Assert.All(comparison.Rows, row => Assert.Null(row.Cells[1]));
        Assert.Equal("not in this run", Assert.Single(comparison.Unmatched).Reason);
    }

    private static RunComparison Compare(params Run[] runs) => Compare([], runs);

    private static RunComparison Compare(string[] vary, params Run[] runs) =>
        RunComparison.Of(runs, new ComparisonOptions { Vary = vary, Metrics = ["decode_tps", "ttft_ms"] });
}
