using System.Collections;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Schema;

/// <summary>
/// The samples of one case of a file, kept by columns: some hundred bytes a sample instead of a thousand. A sample that is asked for is
/// made anew, and is worth no more than it holds: changing it changes nothing here.
/// </summary>
internal sealed class SampleList : IReadOnlyList<Sample>
{
    private static readonly Action<Sample, RunIdentity> s_setRun = Column.Setter((Sample sample) => sample.Run);
    private static readonly Action<Sample, RunEnvironment> s_setEnvironment = Column.Setter((Sample sample) => sample.Environment);
    private static readonly Action<Sample, CaseKey> s_setCase = Column.Setter((Sample sample) => sample.Case);
    private static readonly Action<Sample, Conditions> s_setConditions = Column.Setter((Sample sample) => sample.Conditions);

    private readonly (Column<Sample> Column, ColumnValues<Sample> Values)[] _own;
    private readonly ColumnValues<Conditions>[] _conditions = [.. ConditionColumns.All.Select(column => column.NewValues()!)];
    private readonly Sample _first;

    /// <param name="first">A sample of the case, with the run, the machine and the case of all; it is not added.</param>
    /// <param name="metrics">The metrics that are kept, by name; the others are unknown. Null keeps all.</param>
    public SampleList(Sample first, IReadOnlySet<string>? metrics)
    {
        _first = first;
        Environment = first.Environment;
        _own =
        [
            .. from column in SampleColumns.All
            where column.Role != ColumnRole.Metric || metrics?.Contains(column.Name) != false
            let values = column.NewValues()
            where values is not null
            select (column, values),
        ];
    }

    /// <summary>The machine, which results.csv may know better than the samples.</summary>
    public RunEnvironment Environment { get; set; }

    /// <inheritdoc/>
    public int Count { get; private set; }

    /// <summary>How many of them count.</summary>
    public int CompletedCount { get; private set; }

    /// <inheritdoc/>
    public Sample this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            Conditions conditions = new();
            foreach (ColumnValues<Conditions> values in _conditions)
            {
                values.Restore(conditions, index);
            }

            Sample sample = SampleColumns.Blank();
            s_setRun(sample, _first.Run);
            s_setEnvironment(sample, Environment);
            s_setCase(sample, _first.Case);
            s_setConditions(sample, conditions);
            foreach ((_, ColumnValues<Sample> values) in _own)
            {
                values.Restore(sample, index);
            }

            return sample;
        }
    }

    /// <summary>Appends a sample.</summary>
    public void Add(Sample sample)
    {
        foreach ((_, ColumnValues<Sample> values) in _own)
        {
            values.Add(sample);
        }

        for (int i = 0; i < _conditions.Length; i++)
        {
            _conditions[i].Add(sample.Conditions);
        }

        Count++;
        CompletedCount += sample.Completed ? 1 : 0;
    }

    /// <summary>True when the numbers of a metric can be had without their samples.</summary>
    public bool Has(Column<Sample> metric) => Array.Exists(_own, own => own.Column.Name == metric.Name);

    /// <summary>The launch and the number of each sample that counts.</summary>
    public IEnumerable<(string RunId, int LaunchIndex, double? Value)> Values(Column<Sample> metric)
    {
        ColumnValues<Sample> values = Find(metric.Name);
        ColumnValues<Sample> launches = Find("launch_index");
        ColumnValues<Sample> completed = Find("completed");
        Sample probe = SampleColumns.Blank();
        for (int i = 0; i < Count; i++)
        {
            completed.Restore(probe, i);
            if (probe.Completed)
            {
                launches.Restore(probe, i);
                yield return (_first.Run.RunId, probe.LaunchIndex, values.Number(i));
            }
        }
    }

    private ColumnValues<Sample> Find(string name) => Array.Find(_own, own => own.Column.Name == name).Values;

    /// <inheritdoc/>
    public IEnumerator<Sample> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
