using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Aggregation;

public sealed class AggregationTests
{
    [Fact]
    public void Statistics_are_over_iterations()
    {
        ResultRow row = RowOf([Sample(1, 1, 10), Sample(1, 2, 20), Sample(2, 1, 40), Sample(2, 2, 30)]);

        Assert.Equal((2, 4), (row.LaunchCount, row.SampleCount));
        Assert.Equal(new Spread { Median = 25, Mean = 25, StandardDeviation = Math.Sqrt(500 / 3.0), Minimum = 10, Maximum = 40 }, row.DecodeTps);
        Assert.Equal(1, row.ItlP99Ms);
        Assert.Equal(2100, row.PeakRssBytes);
    }

    [Fact]
    public void One_iteration_has_no_deviation_and_no_drift()
    {
        ResultRow row = RowOf([Sample(1, 1, 10)]);

        Assert.Equal((10, null, null), (row.DecodeTps.Median, row.DecodeTps.StandardDeviation, row.DriftPercent));
    }

    [Fact]
    public void Drift_is_within_launches()
    {
        // Each launch loses 10 % from its first third to its last, whatever the order of the rows and the level of the launch.
        ResultRow row = RowOf([Sample(2, 3, 180), Sample(1, 1, 100), Sample(1, 2, 95), Sample(1, 3, 90), Sample(2, 1, 200), Sample(2, 2, 1)]);

        Assert.Equal(-10, row.DriftPercent!.Value, 9);
    }

    [Fact]
    public void Iterations_that_broke_off_do_not_count()
    {
        ResultRow row = RowOf([Sample(1, 1, 10), Sample(1, 2, 1000) with { Completed = false }]);

        Assert.Equal((1, 10), (row.SampleCount, row.DecodeTps.Maximum));
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
        Assert.Equal(Spread.Unknown, row.DecodeTps);
        Assert.Null(row.PeakRssBytes);
        Assert.Null(row.ModelLoadMs);
    }

    [Fact]
    public void Figures_of_a_launch_are_medians_over_launches() => Assert.Equal(2, RowOf([Sample(1, 1, 1)]).ModelLoadMs);

    private static ResultRow RowOf(Sample[] samples, CaseStatus status = CaseStatus.Ok, string? error = null)
    {
        CaseOutcome outcome = new() { Case = TestRuns.Case, CaseId = "x", Status = status, Error = error, Samples = samples, ModelLoadMs = [1, 9, 2] };
        return Aggregates.Row(new Run(TestRuns.Identity, TestRuns.Environment, [outcome]), outcome);
    }

    private static Sample Sample(int launch, int iteration, double decodeTps) =>
        TestRuns.Sample(TestRuns.Case, launch, iteration) with { DecodeTps = decodeTps, ItlP99Ms = 1, PeakRssBytes = (launch * 1000) + (iteration * 50) };
}
