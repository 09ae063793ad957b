using Llama3Perf.Inference.Tests.Engines.Ort;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Verification;

/// <summary>The smallest harms that a folder can take are found; docs/verify.md has the table.</summary>
public sealed class PlantedFaultTests(ModelFolders folders) : IClassFixture<ModelFolders>
{
    private static readonly ModelBuildOptions s_int4 = new() { Model = "llama-tiny", Precision = Precision.Int4 };

    public static TheoryData<string> Faults => [.. PlantedFault.All.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_harmed_int4_folder_fails_against_the_unharmed_one(string fault)
    {
        ModelFolder harmed = folders.Own(s_int4);
        VerifiedSide tested = Side(harmed);
        VerifiedSide good = Side(folders.Get(s_int4));
        var limits = VerificationLimits.Between(tested, good);
        Reference reference = Answers(good);
        Assert.Null(Verify(tested, reference, limits).Failure);

        PlantedFault.All[fault](harmed);

        ModelVerification verification = Verify(tested, reference, limits);
        Assert.NotNull(verification.Failure);
        // Far enough beyond the limit that another machine's order of sums does not decide.
        Assert.True(verification.Cases.Max(verified => verified.Relative) > 5 * limits.MaxDifference, fault);
    }

    /// <summary>Against the weights before they were quantized only what is larger than the error of 4 bits can be told.</summary>
    [Theory]
    [InlineData("one RoPE frequency wrong", true)]
    [InlineData("two heads swapped", false)]
    [InlineData("one row of blocks zeroed", false)]
    [InlineData("one scale doubled", false)]
    [InlineData("one scale doubled in the MLP", false)]
    public void Against_fp32_a_fault_must_be_larger_than_the_error_of_four_bits(string fault, bool isFound)
    {
        ModelBuildOptions options = s_int4 with { Model = Fixtures.Shared("llama3-gqa-bf16", "hf") };
        ModelFolder harmed = folders.Own(options);
        VerifiedSide tested = Side(harmed);
        VerifiedSide exact = Side(folders.Get(options with { Precision = Precision.Fp32 }));
        var limits = VerificationLimits.Between(tested, exact);
        Assert.Equal(VerificationLimits.For(Precision.Int4, Closeness.OtherWeights), limits);
        Reference reference = Answers(exact);
        Assert.Null(Verify(tested, reference, limits).Failure);

        PlantedFault.All[fault](harmed);

        Assert.Equal(isFound, Verify(tested, reference, limits).Failure is not null);
    }

    private static VerifiedSide Side(ModelFolder folder) => new(folder, "ort", new EngineOptions { Threads = 1 });

    private static Reference Answers(VerifiedSide side)
    {
        using IEngine engine = side.Load();
        PromptTokenizer tokenizer = PromptTokenizer.For(side.Folder);
        return Reference.Of(
            engine,
            side.Name,
            ((string[])["pp15", "pp64"]).Select(prompt => tokenizer.Tokenize(Prompt.Parse(prompt), PromptForm.Plain)),
            side.Folder.EosTokenIds
        );
    }

    private static ModelVerification Verify(VerifiedSide side, Reference reference, VerificationLimits limits)
    {
        using IEngine engine = side.Load();
        return ModelVerification.Of(engine, side.Folder, reference, limits);
    }
}
