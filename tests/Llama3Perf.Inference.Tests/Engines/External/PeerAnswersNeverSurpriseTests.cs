using System.Text;
using CsCheck;
using Llama3Perf.Inference.Engines.External;

namespace Llama3Perf.Inference.Tests.Engines.External;

/// <summary>Whatever a peer answers, what comes out is a generation that can be true, or an <see cref="EngineException"/>.</summary>
public sealed class PeerAnswersNeverSurpriseTests
{
    private static readonly LoadResult s_model = new("cpu", "fp32", 10) { EosTokenIds = [2] };
    private static readonly byte[] s_greeting = Encoding.UTF8.GetBytes(Peers.Greeting + "\n");
    private static readonly byte[] s_loaded = Encoding.UTF8.GetBytes(Peers.Loaded + "\n");
    private static readonly byte[] s_generated = Encoding.UTF8.GetBytes(
        """{"id":2,"result":{"tokens":[7,8],"received_ns":9,"start_ns":10,"prefill_end_ns":20,"token_ns":[30,40],"end_ns":50,"memory":{"peak_rss_bytes":5}}}"""
            + "\n"
    );

    [Fact]
    public void Any_times_and_ids_are_refused_or_make_a_sound_result()
    {
        Gen<long> time = Gen.OneOf(Gen.Long, Gen.Long[0, 6], Gen.Const(long.MinValue), Gen.Const(long.MaxValue));
        Gen<int> id = Gen.OneOf(Gen.Int, Gen.Int[-1, 11]);
        Gen.Select(id.Array[0, 3], time.Array[0, 3], time, time, time, time)
            .Sample(
                (tokens, times, received, start, prefillEnd, end) =>
                {
                    GenerateResult answer = new(tokens, received, start, prefillEnd, times, end);
                    if (PeerAnswerRules.WhyWrong(answer, 2, s_model) is null)
                    {
                        AssertSound(PeerAnswerRules.ToResult(new PeerReply<GenerateResult>(answer, 1), 3, DateTimeOffset.UnixEpoch));
                    }
                },
                iter: 20_000
            );
        // That sound ones are among them is not left to chance.
        Gen.Long[0, 1_000_000]
            .Array[6]
            .Sample(steps =>
            {
                long[] at = [.. steps.Select((_, i) => long.MinValue + steps.Take(i + 1).Sum() + i)];
                GenerateResult answer = new([3, 4], at[0], at[1], at[2], [at[3], at[4]], at[5]);
                Assert.Null(PeerAnswerRules.WhyWrong(answer, 2, s_model));
                AssertSound(PeerAnswerRules.ToResult(new PeerReply<GenerateResult>(answer, 1), 3, DateTimeOffset.UnixEpoch));
            });
    }

    [Fact]
    public void Times_that_are_one_when_counted_from_a_far_start_are_refused()
    {
        GenerateResult answer = new([1, 0], long.MinValue, long.MinValue, 1, [1, 3], long.MaxValue);

        Assert.Equal("told one time for all 2 tokens, 3 ns", PeerAnswerRules.WhyWrong(answer, 2, s_model));
    }

    [Theory]
    [InlineData(100, 104.9, null)]
    [InlineData(100, 94.9, 5.1)]
    [InlineData(100, 105.1, 5.1)]
    [InlineData(1000, 981, null)]
    [InlineData(1000, 979, 21.0)]
    public void Clocks_disagree_beyond_five_milliseconds_and_two_percent(double ours, double theirs, double? expected)
    {
        GenerateResult answer = new([3], 0, 0, 1, [2], (long)(theirs * 1e6));

        double? marked = PeerAnswerRules
            .ToResult(new PeerReply<GenerateResult>(answer, ours), 3, DateTimeOffset.UnixEpoch)
            .ClockDisagreementMs;

        Assert.Equal(expected is null, marked is null);
        Assert.Equal(expected ?? 0, marked ?? 0, 1e-6);
    }

    // Each case starts a process, so they are few; the seed of a failure is printed.
    [Fact]
    public void Random_bytes_for_any_line()
    {
        _ = Peers.Python;
        Gen.Select(Gen.Int[0, 2], Gen.Byte.Array[0, 40])
            .Sample((place, noise) => Survives(place, [.. noise, (byte)'\n']), iter: 30, threads: 1);
    }

    [Fact]
    public void Lines_with_one_byte_changed_or_left_out()
    {
        _ = Peers.Python;
        Gen.Select(
                Gen.Int[0, 2],
                Gen.Int[0, 200],
                Gen.OneOf(Gen.Byte, Gen.Const((byte)'"'), Gen.Const((byte)'-'), Gen.Const((byte)'9')),
                Gen.Bool
            )
            .Sample(
                (place, at, value, isLeftOut) =>
                {
                    List<byte> line = [.. Line(place)];
                    int index = at % line.Count;
                    if (isLeftOut)
                    {
                        line.RemoveAt(index);
                    }
                    else
                    {
                        line[index] = value;
                    }

                    Survives(place, [.. line]);
                },
                iter: 40,
                threads: 1
            );
    }

    private static byte[] Line(int place) =>
        place switch
        {
            0 => s_greeting,
            1 => s_loaded,
            _ => s_generated,
        };

    private static void Survives(int place, byte[] line)
    {
        byte[][] lines = [s_greeting, s_loaded, s_generated];
        lines[place] = line;
        PeerOptions options = Peers.SayingBytes(lines);
        // A line whose end is lost is waited for.
        PeerLimits limits = options.Limits with
        {
            Load = TimeSpan.FromMilliseconds(500),
            Generate = TimeSpan.FromMilliseconds(500),
            Greeting = TimeSpan.FromMilliseconds(place == 0 ? 500 : 20_000),
        };
        try
        {
            using ExternalGenerator generator = new(".", options with { Limits = limits });
            AssertSound(generator.Generate([1], 3));
        }
        catch (EngineException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    private static void AssertSound(GenerationResult result)
    {
        Assert.Equal(result.NewTokens.Length, result.TokenMs.Length);
        Assert.Equal(result.TokenMs.Order(), result.TokenMs);
        Assert.True(result.PrefillMs > 0 && result.TtftMs >= result.PrefillMs);
        Assert.All(
            new[] { result.PrefillTps, result.DecodeTps ?? 1, result.EndToEndTps, result.ArticleTps },
            rate => Assert.True(double.IsFinite(rate) && rate > 0)
        );
        Assert.All(result.NewTokens, id => Assert.True(id is >= 0 and < 10 and not 2));
    }
}
