using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Inference.Tests.Tokenization;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>A checkpoint's own chat template: what the library makes of templates that are published.</summary>
[Collection(RealGenAiTests.Collection)]
public sealed class ModelChatTemplateTests
{
    private const string Llama32 = """
        {{- bos_token }}
        {%- if not date_string is defined %}{%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}{%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}{%- endif %}
        {%- if not tools is defined %}{%- set tools = none %}{%- endif %}
        {{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
        {%- if tools is not none %}{{- "Environment: ipython\n" }}{%- endif %}
        {{- "Today Date: " + date_string + "\n\n" }}
        {{- "<|eot_id|>" }}
        {%- for m in messages %}{{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] | trim + '<|eot_id|>' }}{%- endfor %}
        {%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}
        """;

    private const string ChatMl = """
        {{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m['role'] + '
        ' + m['content'] + '<|im_end|>
        ' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
        ' }}{% endif %}
        """;

    [Fact]
    public void Without_a_template_the_built_in_ones_are_named() =>
        Assert.EndsWith(
            "has no chat template; use none, llama3, phi3",
            Assert.Throws<EngineException>(() => Apply("x", null, settings: null)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(
        Llama32,
        "<|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul "
            + "2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHello,  "
            + "\"你\"<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    )]
    [InlineData(ChatMl, "<|im_start|>user\n Hello,  \"你\"\n<|im_end|>\n<|im_start|>assistant\n")]
    public void Published_templates_are_written_as_transformers_writes_them(string template, string expected)
    {
        TestRuntime.SkipWithoutGenAi();

        string text = Apply(" Hello,  \"你\"\n", template, """{"bos_token": {"content": "<b>"}}""");

        Assert.Equal("<b>" + expected, text);
    }

    [Fact]
    public void A_rendered_template_whose_marks_the_tokenizer_lacks_is_refused()
    {
        TestRuntime.SkipWithoutGenAi();
        string place = TestRuntime.Scratch("template-marks");
        ModelFolder folder = ModelBuilder.Build(
            new ModelBuildOptions { Model = "llama-tiny" },
            Path.Combine(place, "model"),
            cancellationToken: TestContext.Current.CancellationToken
        );
        File.WriteAllText(Path.Combine(folder.Path, "chat_template.jinja"), "<|turn_of|>{{ messages[0]['content'] }}<|eot_id|>");

        Assert.StartsWith(
            "the chat template model writes <|turn_of|>, which the tokenizer would read as plain text",
            Assert
                .Throws<EngineException>(() =>
                    PromptTokenizer
                        .For(folder)
                        .Tokenize(Prompt.OfText("Hello"), new PromptForm(ModelChatTemplate.Of(folder.TokenizerFolder), AddBos: false))
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    private static string Apply(string message, string? template, string? settings) =>
        TokenizerFiles.Use(
            "{}",
            settings,
            folder =>
            {
                if (template is not null)
                {
                    File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), template);
                }

                return ModelChatTemplate.Of(folder).Apply(message);
            }
        );
}
