using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Schema;

/// <summary>A column of results.csv that holds a statistic of a column of samples.csv: everything that is said of it is said
/// there.</summary>
internal sealed class StatisticColumn : Column<ResultRow>
{
    /// <summary>Ending of the columns that hold a metric's median when others stand beside it.</summary>
    public const string MedianSuffix = "_median";

    /// <summary>Ending of the columns that hold its standard deviation.</summary>
    public const string DeviationSuffix = "_stddev";

    private readonly Cell<double?> _cell;
    private readonly int _index;

    private StatisticColumn(Column<Sample> source, ColumnTraits traits, Cell<double?> cell, Func<double[], double?> of, int index)
        : base(traits, source.Unit, source.Range, source.Property) => (Source, Of, _cell, _index) = (source, of, cell, index);

    /// <summary>The column of samples.csv.</summary>
    public Column<Sample> Source { get; }

    /// <summary>The statistic of the known values, of which there is at least one.</summary>
    public Func<double[], double?> Of { get; }

    internal override string Expected => _cell.Expected;

    /// <summary>The statistics of a file's columns, in its order.</summary>
    public static StatisticColumn[] All(IEnumerable<Column<Sample>> columns)
    {
        List<StatisticColumn> all = [];
        foreach (Column<Sample> column in columns)
        {
            foreach ((string suffix, Func<double[], double?> of) in Parts(column.Statistic))
            {
                bool isMain = suffix is "" or MedianSuffix;
                bool isDeviation = suffix == DeviationSuffix;
                ColumnTraits traits = column.Traits with
                {
                    Name = column.Name + suffix,
                    Direction = isMain ? column.Direction : Direction.None,
                    Heading =
                        isMain ? column.Heading
                        : isDeviation && column.Heading?.WithDeviation == true ? new Heading("± sd", 6) { HasUnit = false }
                        : null,
                    Since = column.Traits.ResultSince,
                };
                all.Add(new StatisticColumn(column, traits, Cells.Statistic(column.Unit, column.Range!, isDeviation), of, all.Count));
            }
        }

        return [.. all];
    }

    public override string Text(ResultRow row) => _cell.Format(row.Statistics[_index]);

    public override double? Value(ResultRow row) => _cell.Number(row.Statistics[_index]);

    internal override bool TryRead(ResultRow row, ReadOnlySpan<byte> text, StringPool strings)
    {
        bool isRead = _cell.TryParse(text, strings, out double? value);
        row.Statistics[_index] = value;
        return isRead;
    }

    private static (string Suffix, Func<double[], double?> Of)[] Parts(Statistic statistic) =>
        statistic switch
        {
            Statistic.None => [],
            Statistic.Median or Statistic.LaunchMedian => [("", values => values.Median())],
            Statistic.Maximum => [("", values => values.Max())],
            _ =>
            [
                (MedianSuffix, values => values.Median()),
                ("_mean", values => values.Average()),
                (DeviationSuffix, StandardDeviation),
                ("_min", values => values.Min()),
                ("_max", values => values.Max()),
            ],
        };

    /// <summary>Sample standard deviation (n - 1); null for a single value.</summary>
    private static double? StandardDeviation(double[] values)
    {
        double mean = values.Average();
        return values.Length < 2 ? null : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }
}
