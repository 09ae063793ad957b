using System.Security.Cryptography;
using CsCheck;

namespace Llama3Perf.Inference.Tests;

public sealed class GenerationResultTests
{
    // 10 prompt tokens in 50 ms; tokens at 60, 80, 100 and 140 ms.
    private static readonly GenerationResult s_result = Result([5, 6, 7, 8], [60, 80, 100, 140]);

    [Fact]
    public void Figures_follow_the_definitions()
    {
        Assert.Equal(60, s_result.TtftMs);
        Assert.Equal(80, s_result.DecodeMs);
        Assert.Equal(140, s_result.EndToEndMs);
        Assert.Equal(200, s_result.PrefillTps, 1e-9);
        Assert.Equal(3 / 0.080, s_result.DecodeTps!.Value, 1e-9);
        Assert.Equal(4 / 0.140, s_result.EndToEndTps, 1e-9);
        Assert.Equal(14 / 0.140, s_result.ArticleTps, 1e-9);
        Assert.Equal([20, 20, 40], s_result.InterTokenMs());
        Assert.Equal(20, s_result.FirstStepMs);
        Assert.Equal(2 / 0.060, s_result.DecodeSteadyTps!.Value, 1e-9);
    }

    [Fact]
    public void The_trimmed_rate_leaves_out_a_tenth_at_each_end()
    {
        // Twenty steps of 10 ms, of which one took 1 and two took 500.
        double at = 100;
        double[] times =
        [
            at,
            .. Enumerable
                .Range(0, 20)
                .Select(i =>
                    at += i switch
                    {
                        3 => 1,
                        7 or 12 => 500,
                        _ => 10,
                    }
                ),
        ];
        GenerationResult stalled = Result(new int[times.Length], times);

        Assert.Equal(100, stalled.DecodeTrimmedTps!.Value, 1e-9);
        Assert.True(stalled.DecodeTps < 20);
    }

    [Fact]
    public void A_single_token_has_no_decode_rate()
    {
        GenerationResult one = Result([5], [60]);

        Assert.Null(one.DecodeTps);
        Assert.Null(one.FirstStepMs);
        Assert.Null(one.DecodeSteadyTps);
        Assert.Null(one.DecodeTrimmedTps);
        Assert.Empty(one.InterTokenMs());
    }

    [Fact]
    public void The_hash_is_over_little_endian_32_bit_ids() =>
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData([5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0])), s_result.OutputSha256());

    [Fact]
    public void Latencies_add_up_to_the_decode_time() =>
        Gen.Double[0.01, 50]
            .Array[1, 200]
            .Sample(steps =>
            {
                double at = 0;
                double[] times = Array.ConvertAll(steps, step => at += step);
                GenerationResult result = Result(new int[times.Length], times);
                Assert.Equal(result.DecodeMs, result.InterTokenMs().Sum(), 1e-6);
            });

    private static GenerationResult Result(int[] tokens, double[] times) =>
        new()
        {
            StartUtc = DateTimeOffset.UnixEpoch,
            PromptTokens = 10,
            NewTokens = tokens,
            TokenMs = times,
            PrefillMs = 50,
            ResetMs = 1,
        };
}
