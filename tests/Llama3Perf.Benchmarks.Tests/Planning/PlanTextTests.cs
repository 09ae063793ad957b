using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>What was asked for, in the words of results.</summary>
public sealed class PlanTextTests
{
    [Theory]
    [InlineData(45, "45 s")]
    [InlineData(89.5, "89.5 s")]
    [InlineData(90, "1.5 min")]
    [InlineData(600, "10 min")]
    public void A_budget_of_time_is_told_in_seconds_or_minutes(double seconds, string expected) =>
        Assert.Equal(expected, new Budget(TimeSpan.FromSeconds(seconds), 5).Text("blocks"));

    [Fact]
    public void A_budget_of_a_number_is_told_with_what_is_counted() => Assert.Equal("20 blocks", new Budget(null, 20).Text("blocks"));

    [Theory]
    [InlineData(LaunchOrder.Random, "random 7")]
    [InlineData(LaunchOrder.Fixed, "fixed")]
    [InlineData(null, "fixed")]
    public void A_random_order_is_told_with_its_seed(LaunchOrder? order, string expected) =>
        Assert.Equal(expected, new SuiteOptions { Order = order, Seed = 7 }.OrderText);

    [Theory]
    [InlineData("model")]
    [InlineData("llama3")]
    [InlineData("none")]
    public void A_chat_template_is_the_models_own_or_one_of_ours(string name) =>
        Assert.Equal(
            (name, true),
            new SuiteOptions { AddBos = true }.PromptForm(name, "folder") is var form ? (form.Template.Name, form.AddBos) : default
        );

    [Fact]
    public void Options_that_are_not_the_usual_ones_are_one_sorted_text()
    {
        Assert.Null(OptionsText.Of(new EngineOptions()));
        Assert.Equal(
            "flash_attention=on; kv_type=f32; prefill_chunk=64",
            OptionsText.Of(
                new EngineOptions
                {
                    KeyValueType = KeyValueType.F32,
                    FlashAttention = FlashAttention.On,
                    PrefillChunk = 64,
                }
            )
        );
    }

    [Fact]
    public void Programs_that_measure_themselves_are_no_benchmark_of_ours() =>
        Assert.Equal(
            ["llama-bench", "openai"],
            EngineFamilies.All.Where(family => family.MeasuresItself).SelectMany(family => family.Names)
        );
}
