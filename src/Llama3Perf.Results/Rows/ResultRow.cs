namespace Llama3Perf.Results.Rows;

/// <summary>How a case ended.</summary>
public enum CaseStatus
{
    /// <summary>Every iteration has a result.</summary>
    Ok,

    /// <summary>It threw, crashed or generated the wrong number of tokens.</summary>
    Failed,

    /// <summary>It cannot run here; the error says why.</summary>
    Skipped,
}

/// <summary>How a case ended, with what is measured once a launch. The row of results.csv is this and the statistics of its samples.</summary>
public sealed record CaseOutcome
{
    /// <summary>The case.</summary>
    public required CaseKey Case { get; init; }

    /// <summary>Short, readable, unique name of the case within the run.</summary>
    public required string CaseId { get; init; }

    /// <summary>How it ended.</summary>
    public required CaseStatus Status { get; init; }

    /// <summary>Why it failed or was skipped; one line.</summary>
    public string? Error { get; init; }

    /// <summary>Cold model loads, ms, one a launch.</summary>
    public IReadOnlyList<double> ModelLoadMs { get; init; } = [];

    /// <summary>First generation after each load, ms, one a launch.</summary>
    public IReadOnlyList<double> FirstRunMs { get; init; } = [];

    /// <summary>Peak GPU memory of the measuring process, bytes.</summary>
    public long? PeakGpuBytes { get; init; }

    /// <summary>Measured iterations, in the order they ran.</summary>
    public IReadOnlyList<Sample> Samples { get; init; } = [];
}
