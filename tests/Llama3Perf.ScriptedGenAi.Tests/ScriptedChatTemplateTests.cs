using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.GenAi;

namespace Llama3Perf.ScriptedGenAi.Tests;

/// <summary>A checkpoint's own chat template: what the library is asked, and what becomes of a template that it cannot read.</summary>
[Collection(FakeGenAi.Collection)]
public sealed class ScriptedChatTemplateTests
{
    [Fact]
    public void The_library_is_asked_for_the_users_message_and_the_assistants_turn()
    {
        FakeGenAi fake = new();
        string message = $"\"größe\" 模型 {nameof(The_library_is_asked_for_the_users_message_and_the_assistants_turn)}";

        Assert.Equal(
            $$"""[{"role":"user","content":"{{message.Replace("\"", "\\\"", StringComparison.Ordinal)}}"}]""",
            Apply(message, "{{ x }}")
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
            Apply(nameof(A_template_that_fails_is_one_line_and_leaves_nothing), "{% bad")
        );

        Assert.Contains("unexpected token", error.Message, StringComparison.Ordinal);
        Assert.Equal((fake.LiveAtStart, 0), (fake.Live, OgaHandle.LiveCount));
    }

    private static string Apply(string message, string template)
    {
        string folder = Directory.CreateTempSubdirectory("l3p-template-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "tokenizer.json"), "{}");
            File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), template);
            return ModelChatTemplate.Of(folder).Apply(message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
