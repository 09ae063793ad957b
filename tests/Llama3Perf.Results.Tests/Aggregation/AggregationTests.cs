using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Aggregation;

public sealed class AggregationTests
{
    [Fact]
    public void Statistics_are_over_iterations()
    {
        ResultRow row = RowOf([Sample(1, 1, 10), Sample(1, 2, 20), Sample(2, 1, 40), Sample(2, 2, 30)]);

        Assert.Equal((2, 4), (row.LaunchCount, row.SampleCount));
        Assert.Equal(
            [25, 25, 12.9099, 10, 40],
            new[] { "median", "mean", "stddev", "min", "max" }.Select(part => Value(row, $"decode_tps_{part}"))
        );
        Assert.Equal((1, 2100), (Value(row, "itl_p99_ms"), Value(row, "peak_rss_bytes")));
    }

    [Fact]
    public void One_iteration_has_no_deviation_and_no_drift()
    {
        ResultRow row = RowOf([Sample(1, 1, 10)]);

        Assert.Equal((10, null, null), (Value(row, "decode_tps_median"), Value(row, "decode_tps_stddev"), row.DriftPercent));
    }

    [Fact]
    public void Two_iterations_have_a_deviation() =>
        Assert.Equal(7.0711, Value(RowOf([Sample(1, 1, 10), Sample(1, 2, 20)]), "decode_tps_stddev"));

    [Fact]
    public void Drift_is_within_launches()
    {
        // Each launch loses 10 % from its first third to its last, whatever the order of the rows and the level of the launch.
        ResultRow row = RowOf([
            Sample(2, 3, 180),
            Sample(1, 1, 100),
            Sample(1, 2, 95),
            Sample(1, 3, 90),
            Sample(2, 1, 200),
            Sample(2, 2, 1),
        ]);

        Assert.Equal(-10, row.DriftPercent!.Value, 9);
    }

    [Theory]
    [InlineData(2, null)]
    [InlineData(3, -20.0)]
    [InlineData(5, -40.0)]
    [InlineData(6, -42.1053)]
    [InlineData(8, -63.1579)]
    public void Drift_holds_the_last_third_against_the_first(int iterations, double? drift)
    {
        // 100, 90, 80, ...: a third of 8 is 2, its remainder is in the middle.
        ResultRow row = RowOf([.. Enumerable.Range(1, iterations).Select(i => Sample(1, i, 110 - (10 * i)))]);

        Assert.Equal(drift, row.DriftPercent is { } percent ? Math.Round(percent, 4) : null);
    }

    [Fact]
    public void Iterations_that_broke_off_do_not_count()
    {
        ResultRow row = RowOf([Sample(1, 1, 10), Sample(1, 2, 1000) with { Completed = false }]);

        Assert.Equal((1, 10), (row.SampleCount, Value(row, "decode_tps_max")));
    }

    [Fact]
    public void Output_is_stable_when_every_iteration_gave_the_same_tokens()
    {
        Assert.True(RowOf([Sample(1, 1, 1), Sample(1, 2, 1)]).OutputStable);
        Assert.False(RowOf([Sample(1, 1, 1), Sample(1, 2, 1) with { OutputSha256 = "other" }]).OutputStable);
        Assert.Null(RowOf([Sample(1, 1, 1), Sample(1, 2, 1) with { OutputSha256 = null }]).OutputStable);
    }

    [Fact]
    public void A_failed_case_is_a_row_with_its_error_and_without_metrics()
    {
        ResultRow row = RowOf([Sample(1, 1, 10)], CaseStatus.Failed, "it broke");

        Assert.Equal((CaseStatus.Failed, "it broke", 1), (row.Status, row.Error, row.SampleCount));
        Assert.All(row.Statistics, Assert.Null);
        Assert.Null(row.DriftPercent);
    }

    [Fact]
    public void Figures_of_a_launch_are_medians_over_launches()
    {
        // The launch with most iterations has no more weight than the others, and one that does not know its load has none.
        double?[] loads = [1, 9, 9, 9, 9, 2, null];
        int[] launches = [1, 2, 2, 2, 2, 3, 4];

        ResultRow row = RowOf([.. loads.Zip(launches, (load, launch) => Sample(launch, 1, 1) with { ModelLoadMs = load })]);

        Assert.Equal((2, null), (Value(row, "model_load_ms"), Value(row, "first_run_ms")));
    }

    private static double? Value(ResultRow row, string column) => ResultSchema.Column(column).Value(row);

    private static ResultRow RowOf(Sample[] samples, CaseStatus status = CaseStatus.Ok, string? error = null)
    {
        CaseOutcome outcome = new()
        {
            Case = TestRuns.Case,
            CaseId = "x",
            Status = status,
            Error = error,
            Samples = samples,
        };
        return Aggregates.Row(new Run(TestRuns.Identity, TestRuns.Environment, [outcome]), outcome);
    }

    private static Sample Sample(int launch, int iteration, double decodeTps) =>
        TestRuns.Sample(TestRuns.Case, launch, iteration) with
        {
            DecodeTps = decodeTps,
            ItlP99Ms = 1,
            PeakRssBytes = (launch * 1000) + (iteration * 50),
        };
}
