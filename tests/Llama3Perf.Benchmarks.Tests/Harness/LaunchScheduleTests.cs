using CsCheck;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Tests.Harness;

public sealed class LaunchScheduleTests
{
    private static readonly (string, int)[] s_cases = [("a", 3), ("b", 3), ("c", 3)];

    private readonly SteppedClock _clock = new();

    [Fact]
    public void Random_order_makes_one_launch_of_each_case_and_then_the_next()
    {
        (string CaseId, int Index)[] launches = All(new SuiteOptions { Order = LaunchOrder.Random, Seed = 4 }, s_cases);

        Assert.Equal([1, 1, 1, 2, 2, 2, 3, 3, 3], launches.Select(launch => launch.Index));
        Assert.All(launches.Chunk(3), round => Assert.Equal(["a", "b", "c"], round.Select(launch => launch.CaseId).Order()));
        Assert.True(launches.Chunk(3).Select(round => string.Concat(round.Select(launch => launch.CaseId))).Distinct().Count() > 1);
        Assert.Equal(launches, All(new SuiteOptions { Order = LaunchOrder.Random, Seed = 4 }, s_cases));
        Assert.NotEqual(launches, All(new SuiteOptions { Order = LaunchOrder.Random, Seed = 5 }, s_cases));
    }

    [Fact]
    public void Fixed_order_makes_all_launches_of_a_case_in_a_row() =>
        Assert.Equal([("a", 1), ("a", 2), ("b", 1)], All(new SuiteOptions { Order = LaunchOrder.Fixed }, [("a", 2), ("b", 1)]));

    [Fact]
    public void A_case_that_fails_is_launched_no_more() =>
        Assert.Equal(
            [("a", 3), ("b", 1), ("c", 3)],
            All(new SuiteOptions { Order = LaunchOrder.Random, Seed = 1 }, s_cases, isWhole: launch => launch.CaseId != "b")
                .CountBy(launch => launch.CaseId)
                .OrderBy(count => count.Key)
                .Select(count => (count.Key, count.Value))
        );

    [Fact]
    public void A_run_that_goes_on_draws_the_same_order() =>
        Gen.Select(Gen.Int[0, 1000], Gen.Int[1, 6], Gen.Int[1, 4])
            .Sample(
                (seed, cases, launches) =>
                {
                    SuiteOptions options = new() { Order = LaunchOrder.Random, Seed = seed };
                    (string, int)[] all = [.. Enumerable.Range(0, cases).Select(i => ($"{i}", launches))];
                    (string CaseId, int Index)[] first = All(options, all);
                    (string CaseId, int Index)[] again = All(options, all);
                    return first.SequenceEqual(again)
                        && first.Length == cases * launches
                        && first.Distinct().Count() == first.Length
                        && first.Select(launch => launch.Index).SequenceEqual(first.Select(launch => launch.Index).Order());
                },
                iter: 200
            );

    [Theory]
    [InlineData(LaunchOrder.Random)]
    [InlineData(LaunchOrder.Fixed)]
    public void With_a_target_each_case_goes_on_until_it_is_known_well_enough(LaunchOrder order)
    {
        // Known within 8 % over the number of launches: 1 % after eight, and c within nothing at all after one.
        Dictionary<string, int> made = [];
        (string CaseId, int Index)[] launches = All(
            new SuiteOptions
            {
                Order = order,
                Seed = 1,
                Until = 0.01,
                Budget = new Budget(null, 100),
            },
            s_cases,
            caseId =>
                (caseId, made.GetValueOrDefault(caseId)) switch
                {
                    ("c", _) => 0,
                    (_, < 3) => null,
                    ("a", var count) => 0.08 / count,
                    (_, var count) => 0.04 / count,
                },
            launch =>
            {
                made[launch.CaseId] = launch.Index;
                return true;
            }
        );

        Assert.Equal([("a", 8), ("b", 4), ("c", 1)], Counts(launches));
    }

    [Fact]
    public void A_budget_of_launches_ends_what_is_never_known() =>
        Assert.Equal(
            [("a", 5), ("b", 5), ("c", 5)],
            Counts(
                All(
                    new SuiteOptions
                    {
                        Order = LaunchOrder.Random,
                        Seed = 1,
                        Until = 0.01,
                        Budget = new Budget(null, 5),
                    },
                    s_cases,
                    _ => 0.5
                )
            )
        );

    [Fact]
    public void A_budget_of_time_ends_before_a_launch_that_does_not_fit() =>
        // 10 s a launch: five fit into 55 s, and each case had one before any had two.
        Assert.Equal(
            5,
            All(
                new SuiteOptions
                {
                    Order = LaunchOrder.Random,
                    Seed = 1,
                    Until = 0.01,
                    Budget = new Budget(TimeSpan.FromSeconds(55), null),
                },
                s_cases,
                _ => 0.5
            ).Length
        );

    private static IEnumerable<(string, int)> Counts((string CaseId, int Index)[] launches) =>
        launches.CountBy(launch => launch.CaseId).OrderBy(count => count.Key).Select(count => (count.Key, count.Value));

    private (string CaseId, int Index)[] All(
        SuiteOptions options,
        (string, int)[] cases,
        Func<string, double?>? halfWidth = null,
        Func<(string CaseId, int Index), bool>? isWhole = null
    )
    {
        LaunchSchedule schedule = new(options, halfWidth ?? (_ => null), _clock);
        List<(string CaseId, int Index)> launches = [];
        foreach ((string CaseId, int Index) launch in schedule.Launches(cases))
        {
            schedule.Begin();
            _clock.Now += TimeSpan.FromSeconds(10);
            launches.Add(launch);
            schedule.Made(launch.CaseId, isWhole?.Invoke(launch) ?? true);
        }

        return [.. launches];
    }
}
