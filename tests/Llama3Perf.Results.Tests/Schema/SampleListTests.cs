using CsCheck;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Schema;

/// <summary>Samples that are kept by columns are the samples that were added.</summary>
public sealed class SampleListTests
{
    [Fact]
    public void A_list_in_chunks_gives_back_what_was_added() =>
        Gen.OneOf(Gen.Const(1L), Gen.Long)
            .Array[0, 200]
            .Select(Gen.Int[1, 60], (values, repeat) => values.SelectMany(value => Enumerable.Repeat(value, repeat)).ToArray())
            .Sample(
                values =>
                {
                    ChunkedList<long> list = new();
                    Array.ForEach(values, list.Add);
                    Assert.Equal(values, Enumerable.Range(0, values.Length).Select(i => list[i]));
                },
                iter: 200
            );

    [Theory]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(10_000)]
    public void What_changes_after_a_long_time_changes_nothing_before(int equal)
    {
        long[] values = [.. Enumerable.Repeat(7L, equal), .. Enumerable.Range(0, 9000).Select(i => (long)i)];
        ChunkedList<long> list = new();
        Array.ForEach(values, list.Add);

        Assert.Equal(values, Enumerable.Range(0, values.Length).Select(i => list[i]));
    }

    [Fact]
    public void Samples_come_back_as_they_were()
    {
        Sample[] samples =
        [
            .. TestRuns
                .Outcome(TestRuns.Case, launches: 3, iterations: 30)
                .Samples.Select((sample, i) => Odd(sample, i) with { TokenMs = [] }),
        ];
        SampleList list = new(samples[0], metrics: null);
        Array.ForEach(samples, list.Add);

        Assert.Equal(samples.Select(TextOf), list.Select(TextOf));
        Assert.Equal(samples.Count(sample => sample.Completed), list.CompletedCount);
        foreach (Column<Sample> metric in SampleSchema.Metrics)
        {
            Assert.Equal(LogSample.Of(samples, metric).Launches, LogSample.Of(list, metric).Launches);
        }
    }

    [Fact]
    public void A_list_has_as_many_values_as_samples()
    {
        Sample[] samples = [.. TestRuns.Outcome(TestRuns.Case, launches: 2, iterations: 3).Samples];
        SampleList list = new(samples[0], metrics: null);
        Array.ForEach(samples, list.Add);

        Assert.Equal(
            samples.Select(sample => (TestRuns.Identity.RunId, sample.LaunchIndex, sample.TtftMs)),
            list.Values(SampleSchema.Metric("ttft_ms"))
        );
    }

    [Fact]
    public void Only_the_wanted_metrics_are_kept()
    {
        Sample sample = Odd(TestRuns.Outcome(TestRuns.Case, launches: 3, iterations: 30).Samples[0], 1);
        SampleList list = new(sample, new HashSet<string>(["ttft_ms"]));
        list.Add(sample);

        Assert.Equal(
            SampleSchema
                .Table.Columns.Where(column => column.Role != ColumnRole.Metric || column.Name == "ttft_ms")
                .Select(column => column.Text(sample)),
            SampleSchema
                .Table.Columns.Where(column => column.Role != ColumnRole.Metric || column.Name == "ttft_ms")
                .Select(column => column.Text(list[0]))
        );
        Assert.True(list.Has(SampleSchema.Metric("ttft_ms")));
        Assert.False(list.Has(SampleSchema.Metric("e2e_tps")));
        Assert.Null(list[0].EndToEndTps);
        Assert.NotNull(sample.EndToEndTps);
    }

    [Fact]
    public void A_sample_that_stands_twice_is_found_in_any_order()
    {
        Sample first = TestRuns.Outcome(TestRuns.Case, launches: 3, iterations: 30).Samples[0];
        CaseSamples samples = new(first, isCompact: true, metrics: null);
        Assert.True(samples.TryAdd(first with { LaunchIndex = 1, Iteration = 1 }));
        Assert.True(samples.TryAdd(first with { LaunchIndex = 2, Iteration = 1 }));
        Assert.True(samples.TryAdd(first with { LaunchIndex = 1, Iteration = 2 }));
        Assert.False(samples.TryAdd(first with { LaunchIndex = 2, Iteration = 1 }));
        Assert.True(samples.TryAdd(first with { LaunchIndex = 2, Iteration = 2 }));
        Assert.False(samples.TryAdd(first with { LaunchIndex = 2, Iteration = 2 }));
    }

    // Unknown here, known there, and numbers at the end of what a cell holds.
    private static Sample Odd(Sample sample, int i) =>
        sample with
        {
            DecodeTps = i % 3 == 0 ? null : 1e9 / (i + 1),
            DecodeMs = i % 2 == 0 ? null : 0,
            PeakRssBytes = i % 4 == 0 ? null : (1L << 60) - i,
            OutputSha256 = i % 5 == 0 ? null : $"sha-{i}",
            Completed = i % 7 != 0,
            Conditions = new Conditions
            {
                WatchedMs = i * 0.1,
                ThrottleCount = i % 2 == 0 ? null : i,
                Power = i % 2 == 0 ? "ac" : null,
            },
        };

    private static string TextOf(Sample sample) => string.Join(',', SampleSchema.Table.Columns.Select(column => column.Text(sample)));
}
