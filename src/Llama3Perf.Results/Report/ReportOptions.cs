namespace Llama3Perf.Results.Report;

/// <summary>What a report is about, beside its runs.</summary>
public sealed record ReportOptions
{
    /// <summary>Title of the page; null makes one of model, adapter and machine.</summary>
    public string? Title { get; init; }

    /// <summary>Key columns that the runs are meant to differ in; empty finds the one that they differ in.</summary>
    public IReadOnlyList<string> Vary { get; init; } = [];

    /// <summary>The run that the others are held against: its position from 1, its run id, or the path it was read from; null takes the
    /// first.</summary>
    public string? Baseline { get; init; }

    /// <summary>Cases that are shown however many there are; of more than a page holds the worst are shown beside them.</summary>
    public IReadOnlyList<string> Cases { get; init; } = [];
}
