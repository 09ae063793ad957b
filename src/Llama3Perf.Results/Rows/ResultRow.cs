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

    /// <summary>The run ended before it had all of its launches; those that it has are whole.</summary>
    Interrupted,
}

/// <summary>How a case ended, with its samples. The row of results.csv is this and the statistics of the samples.</summary>
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

    /// <summary>What a reader of the numbers must know, one line each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whether the answers were right.</summary>
    public VerificationOutcome Verification { get; init; } = VerificationOutcome.Unknown;

    /// <summary>Warm-ups, one a launch.</summary>
    public IReadOnlyList<LaunchWarmUp> WarmUps { get; init; } = [];

    /// <summary>Time to turn the prompt's text into token ids, ms; part of no other figure. Null for prompts that are no text.</summary>
    public double? TokenizeMs { get; init; }

    /// <summary>Bytes of weights that a decoded token reads; null where the engine's own program holds the model.</summary>
    public long? WeightBytesPerToken { get; init; }

    /// <summary>Bytes of KV cache that a token of the sequence takes; null where the engine's own program holds the model.</summary>
    public long? CacheBytesPerToken { get; init; }

    /// <summary>Priority of the measuring processes: <c>normal</c>.</summary>
    public string? ProcessPriority { get; init; }

    /// <summary>How launches followed one another: <c>fixed</c>, or <c>random</c> and the seed.</summary>
    public string? LaunchOrder { get; init; }

    /// <summary>Operators that ran on the CPU for want of a kernel, with commas; null where none did or nobody told.</summary>
    public string? CpuFallbackOps { get; init; }

    /// <summary>Measured iterations, in the order they ran.</summary>
    public IReadOnlyList<Sample> Samples { get; init; } = [];
}

/// <summary>The generations of a launch before the measured ones.</summary>
/// <param name="Ms">Their time, ms.</param>
/// <param name="Iterations">How many.</param>
/// <param name="IsSettled">Whether nothing changed any more at their end; otherwise a limit ended them.</param>
public sealed record LaunchWarmUp(double Ms, int Iterations, bool IsSettled);

/// <summary>One case with the statistics of its samples: one row of results.csv. What was not measured is null.</summary>
public sealed record ResultRow
{
    /// <summary>The run, shared by all of its rows.</summary>
    public required RunIdentity Run { get; init; }

    /// <summary>The machine and libraries, shared by all of the run's rows.</summary>
    public required RunEnvironment Environment { get; init; }

    /// <summary>The case.</summary>
    public required CaseKey Case { get; init; }

    /// <summary>Short, readable, unique name of the case within the run.</summary>
    public required string CaseId { get; init; }

    /// <summary>How it ended. Only an <see cref="CaseStatus.Ok"/> case has metrics, and an interrupted one those of its finished
    /// launches.</summary>
    public required CaseStatus Status { get; init; }

    /// <summary>Why it failed or was skipped; one line.</summary>
    public string? Error { get; init; }

    /// <summary>What a reader of the numbers must know, in one line.</summary>
    public string? Notes { get; init; }

    /// <summary>Process launches that gave samples.</summary>
    public required int LaunchCount { get; init; }

    /// <summary>Completed iterations.</summary>
    public required int SampleCount { get; init; }

    /// <summary>Statistics of the samples, one for each of their columns that has one, in the schema's order; read them by their
    /// columns.</summary>
    public required double?[] Statistics { get; init; }

    /// <summary>Time to tokenize the prompt, ms.</summary>
    public double? TokenizeMs { get; init; }

    /// <summary>Median over launches of the warm-up's time, ms.</summary>
    public double? WarmUpMs { get; init; }

    /// <summary>Most generations of any launch's warm-up.</summary>
    public int? WarmUpIterations { get; init; }

    /// <summary>Whether every launch's warm-up ended because nothing changed any more.</summary>
    public bool? WarmUpSettled { get; init; }

    /// <summary>Bytes of weights that a decoded token reads.</summary>
    public long? WeightBytesPerToken { get; init; }

    /// <summary>Bytes of KV cache that a token of the sequence takes; null where the engine's own program holds the model.</summary>
    public long? CacheBytesPerToken { get; init; }

    /// <summary>Weights read a second of decoding (median) as a share of <c>memory_gbps</c>, percent; on the CPU only. The KV cache is not
    /// counted, and what a processor's caches hold may make it more than 100.</summary>
    public double? MemoryBandwidthPercent { get; init; }

    /// <summary>Priority of the measuring processes.</summary>
    public string? ProcessPriority { get; init; }

    /// <summary>How launches followed one another.</summary>
    public string? LaunchOrder { get; init; }

    /// <summary>Operators that an external program's device left to the CPU, as its framework names them.</summary>
    public string? CpuFallbackOps { get; init; }

    /// <summary>Generations that were thrown away because they were stopped.</summary>
    public int? StoppedAttempts { get; init; }

    /// <summary>What the machine did meanwhile.</summary>
    public Conditions Conditions { get; init; } = Conditions.Unknown;

    /// <summary>Whether the machine let the case be measured.</summary>
    public Fitness Fitness { get; init; } = Fitness.Unknown;

    /// <summary>Whether the answers were right.</summary>
    public VerificationOutcome Verification { get; init; } = VerificationOutcome.Unknown;

    /// <summary>Decode rate of the last third of the iterations against the first third, median over launches, percent; negative means
    /// slower.</summary>
    public double? DriftPercent { get; init; }

    /// <summary>SHA-256 of the new token ids of the first iteration.</summary>
    public string? OutputSha256 { get; init; }

    /// <summary>Whether every iteration gave the same tokens.</summary>
    public bool? OutputStable { get; init; }
}
