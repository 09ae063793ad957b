using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Engines.LlamaCpp;

/// <summary>The fixtures' checkpoints as GGUF files on llama.cpp: against transformers, and against our own loop over the ONNX folder that
/// each file was made of.</summary>
public sealed class GgufFixtureTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-gguf-").FullName;

    /// <summary>Logits within a thousandth of their spread, and every greedy token.</summary>
    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void Fp32_gives_the_logits_and_tokens_of_transformers(string fixture)
    {
        (_, ModelFolder gguf) = Build(fixture, Precision.Fp32);
        var reference = Reference.Read(Fixtures.Shared(fixture, "reference.json"));
        using IEngine engine = Load("llama.cpp", gguf, KeyValueType.F32, FlashAttention.Off);

        var verified = ModelVerification.Of(engine, gguf, reference, new VerificationLimits(1e-3, 0.9999, 1e-4, Reference.NewTokens));

        Assert.Null(verified.Failure);
        Assert.Equal(0, verified.Cases.Sum(prompt => prompt.Ties));
    }

    /// <summary>
    /// The same stored weights on two runtimes: what differs is how activations are rounded to 8 bits, and scales to float16. Limits are
    /// some three times the most that was seen: a KL divergence of 0.0052 nats and 0.021 of the spread with int4 and int8, 0.00003 and
    /// 0.0013 with fp16.
    /// </summary>
    [Theory]
    [InlineData("llama3-gqa-bf16", Precision.Int4, 0.02, 0.06)]
    [InlineData("llama3-gqa-bf16", Precision.Int8, 0.02, 0.06)]
    [InlineData("llama3-gqa-bf16", Precision.Fp16, 0.0002, 0.005)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Int4, 0.02, 0.06)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Int8, 0.02, 0.06)]
    [InlineData("llama32-tied-ropescaled-sharded", Precision.Fp16, 0.0002, 0.005)]
    public void Narrower_weights_give_what_our_own_loop_gives(string fixture, Precision precision, double divergence, double relative)
    {
        (ModelFolder source, ModelFolder gguf) = Build(fixture, precision);
        using IEngine ours = Load("ort", source, KeyValueType.F32, FlashAttention.Off);
        using IEngine theirs = Load("llama.cpp", gguf, KeyValueType.F16, FlashAttention.Auto);
        foreach (ReferenceCase prompt in Reference.Read(Fixtures.Shared(fixture, "reference.json")).Cases)
        {
            LogitsDifference difference = LogitsDifference.Between(Logits(ours, prompt.InputIds), Logits(theirs, prompt.InputIds));

            Assert.InRange(difference.Divergence, 0, divergence);
            Assert.InRange(difference.Relative, 0, relative);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static float[] Logits(IEngine engine, int[] prompt)
    {
        engine.Reset(prompt.Length + 1);
        engine.Prefill(prompt);
        return engine.LastLogits();
    }

    private (ModelFolder Source, ModelFolder Gguf) Build(string fixture, Precision precision)
    {
        ModelStore store = new(_folder);
        ModelFolder source = store.GetOrBuild(new ModelBuildOptions { Model = Fixtures.Shared(fixture, "hf"), Precision = precision });
        return (source, store.ConvertToGguf(source));
    }

    private static IEngine Load(string engine, ModelFolder folder, KeyValueType type, FlashAttention attention) =>
        EngineCatalog
            .Get(engine)
            .Load(
                folder,
                new EngineOptions
                {
                    Threads = 1,
                    AllowEos = true,
                    KeyValueType = type,
                    FlashAttention = attention,
                }
            );
}
