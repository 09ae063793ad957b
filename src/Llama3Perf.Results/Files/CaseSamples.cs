using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Files;

/// <summary>The samples of one case while its file is being read.</summary>
internal sealed class CaseSamples(Sample first)
{
    private readonly List<Sample> _samples = [];
    private readonly Dictionary<(int Launch, int Iteration), Sample> _byIteration = [];

    /// <summary>The first of them; the others have the same case.</summary>
    public Sample First => first;

    /// <summary>Name of the case.</summary>
    public string CaseId => first.CaseId;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<Sample> All => _samples;

    /// <summary>Iterations that count.</summary>
    public int CompletedCount => _samples.Count(sample => sample.Completed);

    /// <summary>False when the iteration is there already.</summary>
    public bool TryAdd(Sample sample)
    {
        bool isNew = _byIteration.TryAdd((sample.LaunchIndex, sample.Iteration), sample);
        if (isNew)
        {
            _samples.Add(sample);
        }

        return isNew;
    }

    /// <summary>The sample of an iteration, or null.</summary>
    public Sample? Find(int launchIndex, int iteration) => _byIteration.GetValueOrDefault((launchIndex, iteration));

    /// <summary>The case as the samples alone show it.</summary>
    public CaseOutcome ToOutcome()
    {
        Sample? broken = _samples.Find(sample => !sample.Completed);
        return new CaseOutcome
        {
            Case = first.Case,
            CaseId = first.CaseId,
            Status = broken is null ? CaseStatus.Ok : CaseStatus.Failed,
            Error = broken is null ? null : $"iteration {broken.Iteration} of launch {broken.LaunchIndex} did not complete",
            Samples = _samples,
        };
    }
}
