using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Schema;

public sealed class SchemaTests
{
    [Fact]
    public void The_schema_version_is_the_first_column_of_every_file()
    {
        Assert.Equal("schema_version", SampleSchema.Table.Columns[0].Name);
        Assert.Equal("schema_version", ResultSchema.Table.Columns[0].Name);
        Assert.Equal("schema_version", TokenSchema.Table.Columns[0].Name);
    }

    [Fact]
    public void No_file_has_two_columns_of_one_name()
    {
        AssertDistinct(SampleSchema.Table.Columns);
        AssertDistinct(ResultSchema.Table.Columns);
        AssertDistinct(TokenSchema.Table.Columns);

        static void AssertDistinct<TRow>(IReadOnlyList<Column<TRow>> columns) =>
            Assert.Equal(columns.Count, columns.Select(column => column.Name).Distinct().Count());
    }

    [Fact]
    public void Units_are_the_endings_of_names()
    {
        (string Ending, string Unit)[] units = [("_ms", "ms"), ("_tps", "tok/s"), ("_bytes", "bytes"), ("_pct", "%"), ("_nats", "nats")];
        foreach (Column<ResultRow> column in ResultSchema.Table.Columns.Where(column => column.Role == ColumnRole.Metric))
        {
            string name = column is StatisticColumn { Source: var source } ? source.Name : column.Name;
            Assert.Equal(units.Single(unit => name.EndsWith(unit.Ending, StringComparison.Ordinal)).Unit, column.Unit);
        }
    }

    [Fact]
    public void Every_property_of_a_case_and_of_the_machine_is_a_column()
    {
        Assert.Equal(typeof(CaseKey).GetProperties().Length, CaseColumns.All.Count);
        Assert.Equal(typeof(RunEnvironment).GetProperties().Length, RunColumns.Environment.Count);
        Assert.Equal(typeof(RunIdentity).GetProperties().Length, RunColumns.Identity.Count);
    }

    [Fact]
    public void Keys_of_a_sample_are_those_of_its_case_in_its_run()
    {
        Sample sample = TestRuns.Sample(TestRuns.Case, 1, 1);
        CaseContext context = new(sample.Run, sample.Environment, sample.Case);

        Assert.Equal(
            SampleSchema.Keys.Select(key => (key.Name, key.Key(sample))),
            SampleSchema.CaseKeys.Select(key => (key.Name, key.Key(context)))
        );
    }

    [Theory]
    [InlineData("gpu_driver_version")]
    [InlineData("ort_version")]
    [InlineData("build_commit")]
    [InlineData("engine")]
    [InlineData("provider")]
    [InlineData("precision")]
    [InlineData("machine_id")]
    [InlineData("threads")]
    public void What_runs_are_compared_over_is_a_key_of_every_sample(string name) =>
        Assert.Equal(ColumnRole.Key, SampleSchema.Key(name).Role);

    [Fact]
    public void Metrics_know_which_way_is_better()
    {
        Sample sample = TestRuns.Sample(TestRuns.Case, 1, 1);

        Assert.Equal(Direction.HigherIsBetter, SampleSchema.Metric("decode_tps").Direction);
        Assert.Equal(Direction.LowerIsBetter, SampleSchema.Metric("ttft_ms").Direction);
        Assert.Equal(Direction.None, SampleSchema.Metric("article_tps").Direction);
        Assert.Equal(81.125, SampleSchema.Metric("ttft_ms").Value(sample));
        Assert.Null(SampleSchema.Key("engine").Value(sample));
        Assert.Contains("decode_tps", Assert.Throws<OptionException>(() => SampleSchema.Metric("speed")).Message);
    }
}
