using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Building;

/// <summary>
/// The DirectML form of a converted checkpoint computes what the standard form does. Both run on the CPU, which computes both: a wrong
/// order of rows, a wrong rotation or a wrong cache in the form that only Windows can run on a GPU is seen here.
/// </summary>
public sealed class DirectMLFormTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-dml-").FullName;

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void Fp16_is_the_same(string fixture)
    {
        ModelVerification verification = Compare(fixture, Precision.Fp16, new VerificationLimits(2e-3, 0.99999, 1e-4, Reference.NewTokens));

        Assert.Null(verification.Failure);
        Assert.All(verification.Cases, verified => Assert.Equal((Reference.NewTokens, 0), (verified.AgreedTokens, verified.Ties)));
    }

    /// <summary>
    /// At accuracy level 4 the CPU rounds activations to 8 bits, steps of 1/127 of a block's largest. The DirectML form has scales,
    /// activations and cache in float16: where that moves a value over the edge between two steps, the difference is a whole step. It
    /// came to 1.8 % of the spread; the limit is the usual one for equal weights. Without the rounding to 8 bits (level 0) only
    /// float16's own is left, 0.1 %.
    /// </summary>
    [Theory]
    [InlineData(4, 0.05)]
    [InlineData(0, 0.003)]
    public void Int4_differs_by_the_rounding_of_activations(int accuracyLevel, double limit) =>
        Assert.Null(
            Compare(
                "llama3-gqa-bf16",
                Precision.Int4,
                new VerificationLimits(limit, 1 - (limit / 5), limit, Reference.NewTokens),
                accuracyLevel
            ).Failure
        );

    /// <summary>The tied model's form has the checkpoint's embedding in float16 and only its head in few bits, so it is held against the
    /// checkpoint.</summary>
    [Theory]
    [InlineData(Precision.Int4)]
    [InlineData(Precision.Int8)]
    public void A_tied_model_agrees_with_the_checkpoint(Precision precision)
    {
        const string Fixture = "llama32-tied-ropescaled-sharded";
        ModelFolder folder = Build(Fixture, precision, GraphTarget.DirectML, accuracyLevel: 4);
        using IEngine engine = Load(folder);
        Assert.Null(
            ModelVerification
                .Of(
                    engine,
                    folder,
                    Reference.Read(Fixtures.Shared(Fixture, "reference.json")),
                    VerificationLimits.For(precision, Closeness.OtherWeights)
                )
                .Failure
        );
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ModelVerification Compare(string fixture, Precision precision, VerificationLimits limits, int accuracyLevel = 4)
    {
        TokenizedPrompt[] prompts =
        [
            .. Reference
                .Read(Fixtures.Shared(fixture, "reference.json"))
                .Cases.Select(prompt => new TokenizedPrompt(prompt.Prompt, prompt.InputIds)),
        ];
        ModelFolder standard = Build(fixture, precision, GraphTarget.Cpu, accuracyLevel);
        ModelFolder directML = Build(fixture, precision, GraphTarget.DirectML, accuracyLevel);
        Assert.Equal((GraphFamily.Standard, GraphFamily.DirectML), (standard.Family, directML.Family));
        using IEngine expected = Load(standard);
        using IEngine actual = Load(directML);
        return ModelVerification.Of(actual, directML, Reference.Of(expected, "the standard form", prompts, standard.EosTokenIds), limits);
    }

    private ModelFolder Build(string fixture, Precision precision, GraphTarget target, int accuracyLevel) =>
        ModelBuilder.Build(
            new ModelBuildOptions
            {
                Model = Fixtures.Shared(fixture, "hf"),
                Precision = precision,
                Target = target,
                AccuracyLevel = accuracyLevel,
            },
            Path.Combine(_folder, target.ToString()),
            cancellationToken: TestContext.Current.CancellationToken
        );

    private static IEngine Load(ModelFolder folder) =>
        EngineCatalog.Get("ort").Load(folder, new EngineOptions { Threads = 1, AllowEos = true });
}
