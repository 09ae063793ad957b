using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>Every engine generates the same greedy tokens from the same folder; with the real onnxruntime-genai.</summary>
[Collection(FakeGenAi.Collection)]
public sealed class EngineAgreementTests
{
    private static readonly int[] s_prompt = [5, 6, 7, 300, 12];

    public EngineAgreementTests()
    {
        Assert.SkipWhen(TestRuntime.RealFolder is null, $"{TestRuntime.RealFolderVariable} names no folder with a real onnxruntime-genai");
        Assert.SkipUnless(EngineCatalog.All.Count > 1, "there is one engine only");
    }

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void On_official_folders(string fixture) =>
        AssertSameTokens(ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-cpu")));

    [Theory]
    [InlineData(Precision.Int4)]
    [InlineData(Precision.Int8)]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Fp16)]
    public void On_our_folders(Precision precision) =>
        AssertSameTokens(
            ModelBuilder.Build(
                new ModelBuildOptions { Model = "llama-tiny", Precision = precision },
                Path.Combine(TestRuntime.Scratch("agreement"), precision.ToString()),
                cancellationToken: TestContext.Current.CancellationToken
            )
        );

    [Theory]
    [InlineData("llama3-gqa-bf16", Precision.Int4)]
    [InlineData("llama3-gqa-bf16", Precision.Int8)]
    [InlineData("llama3-gqa-bf16", Precision.Fp16)]
    [InlineData("llama3-gqa-bf16", Precision.Fp32)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Int4)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Int8)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Fp16)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Fp32)]
    public void On_converted_checkpoints(string fixture, Precision precision)
    {
        ModelFolder folder = ModelBuilder.Build(
            new ModelBuildOptions { Model = Fixtures.Shared(fixture, "hf"), Precision = precision },
            Path.Combine(TestRuntime.Scratch("agreement"), $"{fixture}-{precision}"),
            cancellationToken: TestContext.Current.CancellationToken
        );
        foreach (ReferenceCase prompt in Reference.Read(Fixtures.Shared(fixture, "reference.json")).Cases)
        {
            int[][] tokens = [.. EngineCatalog.All.Select(kind => Generate(kind, folder, prompt.InputIds, newTokens: 64))];

            Assert.Equal(64, tokens[0].Length);
            Assert.All(tokens, list => Assert.Equal(tokens[0], list));
        }
    }

    [Fact]
    public void On_the_logits_after_the_prompt_and_after_a_token()
    {
        ModelFolder folder = ModelFolderReader.Open(Fixtures.Shared("llama3-gqa-bf16", "official-int4-cpu"));
        float[][][] logits = [.. EngineCatalog.All.Select(kind => LogitsOf(kind, folder))];

        for (int step = 0; step < 2; step++)
        {
            Assert.All(logits[0][step].Zip(logits[1][step]), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        }
    }

    private static float[][] LogitsOf(EngineKind kind, ModelFolder folder)
    {
        using IEngine engine = kind.Load(folder, new EngineOptions { Threads = 1, AllowEos = true });
        engine.Reset(16);
        engine.Prefill([folder.BosTokenId ?? 1, .. s_prompt]);
        float[] prompt = engine.LastLogits();
        engine.NextToken();
        engine.NextToken();
        return [prompt, engine.LastLogits()];
    }

    private static void AssertSameTokens(ModelFolder folder)
    {
        int[] prompt = [folder.BosTokenId ?? 1, .. s_prompt];
        int[][] tokens = [.. EngineCatalog.All.Select(kind => Generate(kind, folder, prompt, 64 - prompt.Length))];
        // onnxruntime-genai keeps EOS out until max_length; other engines take it as a token like any other.
        int length = tokens.Min(list => Array.FindIndex(list, folder.EosTokenIds.Contains) is >= 0 and var eos ? eos : list.Length);
        Assert.True(length > 8, $"EOS came after {length} tokens: too few to compare");
        Assert.All(tokens, list => Assert.Equal(tokens[0][..length], list[..length]));
    }

    private static int[] Generate(EngineKind kind, ModelFolder folder, int[] prompt, int newTokens)
    {
        using IEngine engine = kind.Load(folder, new EngineOptions { Threads = 1 });
        return TimedGeneration.Run(engine, prompt, prompt.Length + newTokens).NewTokens;
    }
}
