using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>The samples of one case while its file is being read.</summary>
/// <param name="first">Its first sample; it is not added.</param>
/// <param name="isCompact">True keeps them by columns: they can be read, and not filled with more than the file holds.</param>
/// <param name="metrics">The metrics that are kept then; null for all.</param>
internal sealed class CaseSamples(Sample first, bool isCompact, IReadOnlySet<string>? metrics)
{
    private static readonly Action<Sample, RunEnvironment> s_setEnvironment = Column.Setter((Sample sample) => sample.Environment);

    private readonly List<Sample> _samples = [];
    private readonly SampleList? _compact = isCompact ? new SampleList(first, metrics) : null;
    private readonly Dictionary<(int Launch, int Iteration), Sample?> _byIteration = [];
    private (int Launch, int Iteration) _last;
    private bool _isOrdered = true;

    /// <summary>The first of them; the others have the same case.</summary>
    public Sample First => first;

    /// <summary>Name of the case.</summary>
    public string CaseId => first.CaseId;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<Sample> All => _compact is null ? _samples : _compact;

    /// <summary>Iterations that count.</summary>
    public int CompletedCount => _compact?.CompletedCount ?? _samples.Count(sample => sample.Completed);

    /// <summary>False when the iteration is there already.</summary>
    public bool TryAdd(Sample sample)
    {
        (int Launch, int Iteration) here = (sample.LaunchIndex, sample.Iteration);
        if (_compact is null)
        {
            bool isNew = _byIteration.TryAdd(here, sample);
            if (isNew)
            {
                _samples.Add(sample);
            }

            return isNew;
        }

        // In order, as they are written, none can be there twice; what is out of order is looked up.
        if (_isOrdered && here.CompareTo(_last) <= 0 && _compact.Count > 0)
        {
            _isOrdered = false;
            foreach (Sample earlier in _compact)
            {
                _byIteration.Add((earlier.LaunchIndex, earlier.Iteration), null);
            }
        }

        _last = here;
        if (!_isOrdered && !_byIteration.TryAdd(here, null))
        {
            return false;
        }

        _compact.Add(sample);
        return true;
    }

    /// <summary>Gives all of them the machine as results.csv knows it.</summary>
    public void SetEnvironment(RunEnvironment environment)
    {
        if (_compact is not null)
        {
            _compact.Environment = environment;
        }

        foreach (Sample sample in _samples)
        {
            s_setEnvironment(sample, environment);
        }
    }

    /// <summary>The sample of an iteration, or null.</summary>
    public Sample? Find(int launchIndex, int iteration) => _byIteration.GetValueOrDefault((launchIndex, iteration));

    /// <summary>The case as the samples alone show it.</summary>
    public CaseOutcome ToOutcome()
    {
        Sample? broken = All.FirstOrDefault(sample => !sample.Completed);
        return new CaseOutcome
        {
            Case = first.Case,
            CaseId = first.CaseId,
            Status = broken is null ? CaseStatus.Ok : CaseStatus.Failed,
            Error = broken is null ? null : $"iteration {broken.Iteration} of launch {broken.LaunchIndex} did not complete",
            Samples = All,
        };
    }
}
