using System.Diagnostics;
using System.Globalization;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Conditions;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>Looks whether a machine is quiet before the first case, and does what the user asked for when it is not.</summary>
/// <param name="look">Looks for so long; null where the platform does not tell.</param>
/// <param name="say">Shows a line.</param>
internal sealed class QuietMachine(Func<TimeSpan, ForeignLoad?> look, Action<string> say)
{
    private static readonly TimeSpan s_glance = TimeSpan.FromSeconds(1);

    /// <exception cref="EngineException">The machine is busy and <c>--strict</c> was given.</exception>
    public void Check(SuiteOptions options)
    {
        ForeignLoad? load = look(s_glance);
        if (load is { IsQuiet: false } && options.WaitIdle > TimeSpan.Zero)
        {
            say(string.Create(CultureInfo.InvariantCulture, $"Waiting up to {options.WaitIdle.TotalMinutes:0.#} min: {load}."));
            for (long start = Stopwatch.GetTimestamp(); load is { IsQuiet: false } && Stopwatch.GetElapsedTime(start) < options.WaitIdle; )
            {
                load = look(s_glance);
            }
        }

        if (load is not { IsQuiet: false })
        {
            if (load is null && options.Strict)
            {
                throw new EngineException("--strict: this system does not tell how busy it is; leave --strict out");
            }

            return;
        }

        if (options.Strict)
        {
            throw new EngineException($"--strict: {load}; end them, or wait for them with --wait-idle 5m");
        }

        string text = load.ToString();
        say($"{char.ToUpperInvariant(text[0])}{text[1..]}: expect slow and scattered figures.{Hint(options)}");
    }

    // A thread that spins for one that had to wait is what shared cores punish.
    private static string Hint(SuiteOptions options) =>
        options.Spin is null
        && !options.SessionEntries.ContainsKey(SpinEntries.AllowSpinning)
        && (options.Threads ?? PhysicalCores.Count) is > 1 and var threads
        && (options.Providers is null || options.Providers.Contains(ExecutionProvider.Cpu))
            ? string.Create(CultureInfo.InvariantCulture, $" {threads} spinning threads share cores with others: --spin off gives more.")
            : "";
}
