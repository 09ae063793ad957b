namespace Llama3Perf.Models.Building;

internal static class TokenizerFiles
{
    public static TokenIds Write(string folder, int vocabularySize)
    {
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), "{}");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), "{}");
        return new TokenIds(vocabularySize - 256, [vocabularySize - 247], vocabularySize - 247);
    }
}
