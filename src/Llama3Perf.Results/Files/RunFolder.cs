namespace Llama3Perf.Results.Files;

/// <summary>Names of the files of a run.</summary>
public static class RunFolder
{
    /// <summary>One row per measured iteration; the comparison reads this one.</summary>
    public const string Samples = "samples.csv";

    /// <summary>One row per case.</summary>
    public const string Results = "results.csv";

    /// <summary>One row per new token.</summary>
    public const string Tokens = "tokens.csv";

    /// <summary>Finished launches of a run that is not complete; of a complete one it is gone.</summary>
    public const string Journal = "journal.jsonl";

    /// <summary>What a person reads first.</summary>
    public const string Markdown = "results.md";
}
