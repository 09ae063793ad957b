using Llama3Perf.Inference.Calibration;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Tests.Engines.Ort;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Tests.Calibration;

/// <summary>Scales of a quantized KV cache, and what is computed with them.</summary>
public sealed class CacheCalibrationTests(ModelFolders folders) : IClassFixture<ModelFolders>, IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("l3p-kv-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>What the graph computes is the plain forward pass with keys and values rounded as the scales say, in the prompt and
    /// behind it.</summary>
    [Theory]
    [InlineData(Precision.Fp32, KeyValueType.Int8, 127, 2e-3)]
    [InlineData(Precision.Fp32, KeyValueType.Int4, 7, 2e-3)]
    [InlineData(Precision.Fp16, KeyValueType.Int8, 127, 3e-2)]
    [InlineData(Precision.Int4, KeyValueType.Int8, 127, 2e-1)]
    public void A_rounded_cache_is_the_plain_pass_with_rounded_keys_and_values(
        Precision precision,
        KeyValueType type,
        int steps,
        double tolerance
    )
    {
        TestRuntime.SkipWithoutQuantizedCache();
        ModelFolder plain = Tiny(precision);
        CacheScales scales = CacheCalibration.Of(plain, cancellationToken: TestContext.Current.CancellationToken);
        ModelFolder folder = WithCache(plain, type);
        using IEngine engine = Load("ort", folder);

        PlainPass.AssertFollowed(engine, folder, new FolderWeights(plain), steps: 5, tolerance, Round);

        void Round(int layer, Span<float> keys, Span<float> values)
        {
            RoundBy(keys, scales.Keys[layer]);
            RoundBy(values, scales.Values[layer]);
        }

        void RoundBy(Span<float> numbers, float[] largest)
        {
            for (int i = 0; i < numbers.Length; i++)
            {
                float scale = largest[i] / steps;
                numbers[i] = Math.Clamp(MathF.Round(numbers[i] / scale), -steps - 1, steps) * scale;
            }
        }
    }

    [Theory]
    [InlineData(Precision.Fp32, KeyValueType.Int8)]
    [InlineData(Precision.Fp32, KeyValueType.Int4)]
    [InlineData(Precision.Int8, KeyValueType.Int8)]
    [InlineData(Precision.Int4, KeyValueType.Int4)]
    public void Both_engines_compute_the_same(Precision precision, KeyValueType type)
    {
        TestRuntime.SkipWithoutQuantizedCache();
        TestRuntime.SkipWithoutGenAi();
        ModelFolder folder = WithCache(Tiny(precision), type);
        VerifiedSide ort = new(folder, "ort", new EngineOptions { Threads = 1 });

        ModelVerification verification = Verify(
            ort with
            {
                Engine = "genai",
            },
            Answers(ort),
            VerificationLimits.For(precision, Closeness.Same)
        );

        Assert.Null(verification.Failure);
    }

    /// <summary>Against the folder that it was made of: within its limits, and beyond those of a cache that is kept whole.</summary>
    [Theory]
    [InlineData(KeyValueType.Int8, Closeness.RoundedCache)]
    [InlineData(KeyValueType.Int4, Closeness.CoarseCache)]
    public void A_rounded_cache_is_held_to_limits_of_its_own(KeyValueType type, Closeness closeness)
    {
        TestRuntime.SkipWithoutQuantizedCache();
        ModelFolder plain = Tiny(Precision.Fp32);
        VerifiedSide reference = new(plain, "ort", new EngineOptions { Threads = 1 });
        VerifiedSide tested = new(WithCache(plain, type), "ort", reference.Options with { KeyValueType = type }) { Source = plain };
        Reference answers = Answers(reference);

        Assert.Equal(closeness, VerificationLimits.ClosenessOf(tested, reference));
        Assert.Null(Verify(tested, answers, VerificationLimits.Between(tested, reference)).Failure);
        Assert.NotNull(Verify(tested, answers, VerificationLimits.For(Precision.Fp32, Closeness.Rounding)).Failure);
    }

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void The_official_builders_folders_take_one(string fixture)
    {
        TestRuntime.SkipWithoutGenAi();
        TestRuntime.SkipWithoutQuantizedCache();
        var plain = ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-cpu"));
        VerifiedSide reference = new(plain, "ort", new EngineOptions { Threads = 1 });
        VerifiedSide tested = new(WithCache(plain, KeyValueType.Int8), "ort", reference.Options) { Source = plain };
        Reference answers = Answers(reference);

        Assert.Null(Verify(tested, answers, VerificationLimits.Between(tested, reference)).Failure);
        Assert.Null(Verify(tested with { Engine = "genai" }, answers, VerificationLimits.Between(tested, reference)).Failure);
    }

    [Fact]
    public void One_model_always_has_the_same_scales()
    {
        CacheScales full = CacheCalibration.Of(Tiny(Precision.Fp32), cancellationToken: TestContext.Current.CancellationToken);
        CacheScales again = CacheCalibration.Of(Tiny(Precision.Fp32), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(2, full.Keys.Count);
        Assert.All(full.Keys.Concat(full.Values), channels => Assert.Equal(full.Keys[0].Length, channels.Length));
        Assert.Equal(full.Keys.Concat(full.Values), again.Keys.Concat(again.Values));
    }

    [Fact]
    public void It_ends_where_it_is_told_to()
    {
        using CancellationTokenSource cancellation = new();
        int parts = 0;

        Assert.Throws<OperationCanceledException>(() => CacheCalibration.Of(Tiny(Precision.Fp32), Cancel, cancellation.Token));
        Assert.Equal(2, parts);

        void Cancel()
        {
            if (++parts == 2)
            {
                cancellation.Cancel();
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_largest_are_those_of_a_plain_loop(int seed)
    {
        Random random = new(seed);
        (int width, int rows) = (2 * random.Next(1, 20), random.Next(1, 30));
        float[] numbers = [.. Enumerable.Range(0, width * rows).Select(_ => (random.NextSingle() - 0.5f) * 20)];
        float[] largest = new float[width];
        float[] pairs = new float[width];
        for (int i = 0; i < numbers.Length; i++)
        {
            int channel = i % width;
            int other = (channel + (width / 2)) % width;
            float length = MathF.Sqrt((numbers[i] * numbers[i]) + MathF.Pow(numbers[i - channel + other], 2));
            largest[channel] = Math.Max(largest[channel], Math.Abs(numbers[i]));
            pairs[channel] = Math.Max(pairs[channel], length);
        }

        Assert.Equal(largest, CacheCalibration.Largest(numbers, width));
        Assert.All(pairs.Zip(CacheCalibration.OfPairs(numbers, width)), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    [Fact]
    public void A_channel_that_is_always_zero_has_a_scale() =>
        Assert.All(
            CacheCalibration.Largest(new float[8], 4).Concat(CacheCalibration.OfPairs(new float[8], 4)),
            largest => Assert.True(largest > 0)
        );

    private ModelFolder Tiny(Precision precision) => folders.Get(new ModelBuildOptions { Model = "llama-tiny", Precision = precision });

    private ModelFolder WithCache(ModelFolder plain, KeyValueType type) =>
        new ModelStore(_root).QuantizeCache(
            plain,
            "",
            type,
            CacheCalibration.Identity,
            () => CacheCalibration.Of(plain, cancellationToken: TestContext.Current.CancellationToken)
        );

    private static Reference Answers(VerifiedSide side)
    {
        using IEngine engine = side.Load();
        TokenizedPrompt[] prompts =
        [
            .. ((string[])["pp15", "pp40"]).Select(prompt =>
                PromptTokenizer.For(side.Folder).Tokenize(Prompt.Parse(prompt), PromptForm.Plain)
            ),
        ];
        return Reference.Of(engine, side.Name, prompts, side.Folder.EosTokenIds, newTokens: 16);
    }

    private static ModelVerification Verify(VerifiedSide side, Reference reference, VerificationLimits limits)
    {
        using IEngine engine = side.Load();
        return ModelVerification.Of(engine, side.Folder, reference, limits);
    }

    private static IEngine Load(string engine, ModelFolder folder) =>
        EngineCatalog.Get(engine).Load(folder, new EngineOptions { Threads = 1, AllowEos = true });
}
