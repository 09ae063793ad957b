using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Report;

/// <summary>A quantity that the cases of one run differ in, which a line is read over.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Field">The part of a case's name that tells it.</param>
/// <param name="Value">A case's value; null where it has none.</param>
internal sealed record CaseAxis(string Name, CaseField Field, Func<CaseKey, int?> Value)
{
    /// <summary>Two values are two bars; of three one looks for a curve.</summary>
    private const int LeastValues = 3;

    private static readonly CaseAxis[] s_all =
    [
        new("threads", CaseField.Threads, key => key.Threads),
        new("prompt tokens", CaseField.Prompt, key => key.PromptTokens),
        new("length", CaseField.Length, key => key.MaxLength),
        new("block size", CaseField.Precision, key => key.BlockSize),
    ];

    /// <summary>The axis on which a line of one run has most points; null where none has enough, and for several runs, which are compared
    /// with one another.</summary>
    public static CaseAxis? Of(ReportData data) =>
        data.Sides.Count > 1
            ? null
            : s_all
                .Select(axis => (Axis: axis, Points: axis.Lines(data).Select(line => line.Count()).DefaultIfEmpty(0).Max()))
                .Where(found => found.Points >= LeastValues)
                .OrderByDescending(found => found.Points)
                .Select(found => found.Axis)
                .FirstOrDefault();

    /// <summary>True when every measured case stands on the axis.</summary>
    public bool HasAll(ReportData data) => data.Cases.Where(found => found.IsMeasured).All(found => found.On(this) is not null);

    /// <summary>What the cases of a panel share: all but the axis, the precision and the engine.</summary>
    public string Panel(ReportCase found) => found.GroupWithout(Field);

    /// <summary>What one line is: a precision and an engine, as far as cases differ in them.</summary>
    public string Line(ReportCase found) => Field == CaseField.Precision ? found.SeriesWithoutBlock : found.Series;

    private IEnumerable<IEnumerable<int?>> Lines(ReportData data) =>
        data
            .Cases.Where(found => found.IsMeasured && found.On(this) is not null)
            .GroupBy(found => (Panel(found), Line(found)))
            .Select(line => line.Select(found => found.On(this)).Distinct());
}
