using CsCheck;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Rows;

public sealed class CaseIdTests
{
    [Fact]
    public void A_name_reads_like_the_case()
    {
        Assert.Equal("llama-125m-int4-b32/ort-cpu/pp512/l516/t2", CaseId.For(TestRuns.Case));
        Assert.Equal(
            "llama-125m-fp32/genai-dml-Arc-A770/pp512/llama3/l516",
            CaseId.For(
                TestRuns.Case with
                {
                    Engine = "genai",
                    Provider = "dml",
                    Device = "Arc-A770",
                    Precision = "fp32",
                    BlockSize = null,
                    ChatTemplate = "llama3",
                    Threads = null,
                }
            )
        );
    }

    [Fact]
    public void Names_do_not_change_between_versions() =>
        Assert.Equal(
            (
                "llama-125m-int4-b32/ort-cpu/OpenVINO-is-136a1b/l516/t2",
                "llama-125m-int4-b32/ort-cpu/OpenVINO-is-bbbbbb/l516/t2",
                "llama-125m-int4-b32/ort-cpu/pp512/l516/t2/o-d63451"
            ),
            (
                CaseId.For(TestRuns.Case with { PromptId = "OpenVINO is", PromptSha256 = null }),
                CaseId.For(TestRuns.Case with { PromptId = "OpenVINO is" }),
                CaseId.For(TestRuns.Case with { EngineOptions = "graph=all" })
            )
        );

    [Theory]
    [InlineData("The same first 23 chars…")]
    [InlineData("trimmed")]
    [InlineData("pp8")]
    [InlineData("…")]
    public void Prompts_that_look_alike_are_told_apart_by_their_tokens(string id)
    {
        CaseKey one = TestRuns.Case with { PromptId = id, PromptSha256 = new string('1', 64) };

        Assert.NotEqual(CaseId.For(one), CaseId.For(one with { PromptSha256 = new string('2', 64) }));
        Assert.Equal(CaseId.For(one), CaseId.For(one with { ModelSha256 = null }));
    }

    [Fact]
    public void Random_tokens_are_named_by_their_number() =>
        Assert.Equal(CaseId.For(TestRuns.Case), CaseId.For(TestRuns.Case with { PromptSha256 = new string('2', 64) }));

    [Fact]
    public void Options_of_the_engine_make_another_case()
    {
        string[] names =
        [
            .. new[] { null, "graph=all", "graph=none" }.Select(options => CaseId.For(TestRuns.Case with { EngineOptions = options })),
        ];

        Assert.Equal(3, names.Distinct().Count());
        Assert.StartsWith(names[0], names[1]);
    }

    [Theory]
    [InlineData("a b", "a-b")]
    [InlineData("a b", "a,b")]
    [InlineData("é", "e")]
    [InlineData("..", ".")]
    [InlineData("", "-")]
    [InlineData("pp512/llama3", "pp512")]
    [InlineData(
        "A very long prompt that goes on and on and on and on and ends here",
        "A very long prompt that goes on and on and on and on and ends there"
    )]
    public void Different_prompts_have_different_names(string one, string other) => Assert.NotEqual(Named(one), Named(other));

    private static string Named(string prompt) => CaseId.For(TestRuns.Case with { PromptId = prompt, PromptSha256 = null });

    [Fact]
    public void Names_serve_as_paths_and_filters() =>
        Gen.String.Sample(text =>
            Assert.Matches(
                "^[A-Za-z0-9._-]+(/[A-Za-z0-9_-][A-Za-z0-9._-]*){3}/t2$",
                CaseId.For(TestRuns.Case with { PromptId = text, ModelName = text, Device = text })
            )
        );

    [Fact]
    public void The_environment_is_no_part_of_a_name() =>
        Assert.Equal(CaseId.For(TestRuns.Case), CaseId.For(TestRuns.Case with { ModelSha256 = null, PromptSha256 = null }));

    [Fact]
    public void Runs_are_named_by_their_time() =>
        Assert.Matches("^20260131-120000-[0-9a-f]{4}$", RunId.New(new DateTimeOffset(2026, 1, 31, 13, 0, 0, TimeSpan.FromHours(1))));
}
