using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Inference.Tests.Tokenization;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>A checkpoint's own chat template: what the library is asked, and what the real one makes of templates that are
/// published.</summary>
[Collection(FakeGenAi.Collection)]
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
    public void The_library_is_asked_for_the_users_message_and_the_assistants_turn()
    {
        FakeGenAi fake = new();
        string message = $"\"größe\" 模型 {nameof(The_library_is_asked_for_the_users_message_and_the_assistants_turn)}";

        Assert.Equal(
            $$"""[{"role":"user","content":"{{message.Replace("\"", "\\\"", StringComparison.Ordinal)}}"}]""",
            Apply(message, "{{ x }}", settings: null)
        );
        Assert.Contains(
            fake.Log,
            line =>
                line.StartsWith("OgaTokenizerApplyChatTemplate(", StringComparison.Ordinal)
                && line.EndsWith("{{ x }}, null, true)", StringComparison.Ordinal)
        );
        Assert.Equal(("", fake.LiveAtStart, 0), (fake.Misuse, fake.Live, OgaHandle.LiveCount));
    }

    [Fact]
    public void A_template_that_fails_is_one_line_and_leaves_nothing()
    {
        FakeGenAi fake = new();
        fake.Fail("OgaTokenizerApplyChatTemplate", "unexpected\ntoken");

        EngineException error = Assert.Throws<EngineException>(() =>
            Apply(nameof(A_template_that_fails_is_one_line_and_leaves_nothing), "{% bad", settings: null)
        );

        Assert.Contains("unexpected token", error.Message, StringComparison.Ordinal);
        Assert.Equal((fake.LiveAtStart, 0), (fake.Live, OgaHandle.LiveCount));
    }

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
        Assert.SkipWhen(TestRuntime.RealFolder is null, $"{TestRuntime.RealFolderVariable} names no folder with a real onnxruntime-genai");
        Oga.RequireLibrary();

        string text = Apply(" Hello,  \"你\"\n", template, """{"bos_token": {"content": "<b>"}}""");

        Assert.Equal("<b>" + expected, text);
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
