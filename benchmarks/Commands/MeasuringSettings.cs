using System.CommandLine;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>The options that say how often, in which order and under which conditions the cases of a run are measured.</summary>
internal sealed class MeasuringSettings
{
    private static readonly SuiteOptions s_defaults = new();

    private readonly Option<int?> _launches = OptionFactory.Value<int?>(
        "--launches",
        $"Processes a case. Default: {s_defaults.Launches}.",
        text => OptionFactory.Integer(1, 1000)(text),
        "n"
    );

    private readonly Option<double?> _until = OptionFactory.Value<double?>(
        "--until",
        "Launches each case until its decode rate is known within so much, instead of --launches: 1%.",
        text =>
            ResultsVerb.Share(text) is > 0 and var share
                ? share
                : throw new UsageException("nothing is known within 0 %; 1% is a usual target"),
        "share"
    );

    private readonly Option<Budget?> _budget = OptionFactory.Value<Budget?>(
        "--budget",
        "What --until may take: a time from the first launch on, or a number of launches a case. Default: 10m.",
        OptionFactory.BudgetOf,
        "time|n"
    );

    private readonly Option<LaunchOrder?> _order = OptionFactory.Value<LaunchOrder?>(
        "--order",
        "random: one launch of each case in random order, then the next ones; fixed: all launches of a case in a row. Default: random in "
            + "child processes, fixed in this one.",
        OptionFactory.OneOf<LaunchOrder?>(("random", LaunchOrder.Random), ("fixed", LaunchOrder.Fixed)),
        "random|fixed"
    );

    private readonly Option<int?> _seed = OptionFactory.Value<int?>(
        "--seed",
        "Of the random order. Default: drawn, and recorded.",
        text => OptionFactory.Integer(0)(text),
        "n"
    );

    private readonly Option<int?> _warmups = OptionFactory.Value<int?>(
        "--warmup",
        "Generations before the measured ones, in each launch, and as many more, within 10 or 5 s, until they take equally long and "
            + $"nothing is compiled. Default: {s_defaults.Warmups}.",
        text => OptionFactory.Integer(0, 10_000)(text),
        "n"
    );

    private readonly Option<int?> _iterations = OptionFactory.Value<int?>(
        "--iterations",
        $"Measured generations in each launch. Default: {s_defaults.Iterations}, and of short ones as many as fill a second.",
        text => OptionFactory.Integer(1, 10_000)(text),
        "n"
    );

    private readonly Option<Isolation?> _isolation = OptionFactory.Value<Isolation?>(
        "--isolation",
        "process measures in child processes; none measures in this one and keeps a model loaded between cases. Default: process.",
        OptionFactory.OneOf<Isolation?>(("process", Isolation.Process), ("none", Isolation.None)),
        "process|none"
    );

    private readonly Option<int?> _cooldown = OptionFactory.Value<int?>(
        "--cooldown",
        "Seconds of rest before each case. Default: 0.",
        text => OptionFactory.Integer(0, 3600)(text),
        "seconds"
    );

    private readonly Option<TimeSpan?> _waitIdle = OptionFactory.Value<TimeSpan?>(
        "--wait-idle",
        "Waits so long for other processes to end before the first case: 5m.",
        text => OptionFactory.Duration(text),
        "time"
    );

    private readonly Option<bool> _strict = OptionFactory.Flag(
        "--strict",
        "Measures on a quiet machine only; on a busy one the exit code is 2."
    );

    private readonly Option<int?> _launchTimeout = OptionFactory.Value<int?>(
        "--launch-timeout",
        "Seconds that a launch may take before it is ended and has failed. Default: a multiple of what its first generations let expect.",
        text => OptionFactory.Integer(1, 1_000_000)(text),
        "seconds"
    );

    /// <summary>In the order of the verb's help.</summary>
    public Option[] All =>
        [_launches, _until, _budget, _order, _seed, _warmups, _iterations, _isolation, _cooldown, _waitIdle, _strict, _launchTimeout];

    /// <summary>What was given, over what a verb begins with.</summary>
    /// <exception cref="UsageException">Two of them contradict each other.</exception>
    public SuiteOptions Over(SuiteOptions basis, ParseResult parsed)
    {
        if (parsed.GetValue(_until) is not null && parsed.GetValue(_launches) is not null)
        {
            throw new UsageException("--until and --launches: give one of them; --budget says how far --until may go");
        }

        if (parsed.GetValue(_budget) is not null && parsed.GetValue(_until) is null)
        {
            throw new UsageException("--budget goes with --until");
        }

        return basis with
        {
            Launches = parsed.GetValue(_launches) ?? basis.Launches,
            Until = parsed.GetValue(_until),
            Budget = parsed.GetValue(_budget) ?? basis.Budget,
            Order = parsed.GetValue(_order),
            Seed = parsed.GetValue(_seed),
            Warmups = parsed.GetValue(_warmups) ?? basis.Warmups,
            Iterations = parsed.GetValue(_iterations) ?? basis.Iterations,
            LeastMeasured = parsed.GetValue(_iterations) is null ? basis.LeastMeasured : TimeSpan.Zero,
            Isolation = parsed.GetValue(_isolation) ?? basis.Isolation,
            Cooldown = TimeSpan.FromSeconds(parsed.GetValue(_cooldown) ?? 0),
            WaitIdle = parsed.GetValue(_waitIdle) ?? TimeSpan.Zero,
            Strict = parsed.GetValue(_strict),
            LaunchTimeout = parsed.GetValue(_launchTimeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };
    }
}
