using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Files;

/// <summary>Short names for cases among others: what tells them apart and nothing else.</summary>
public sealed class CaseNames
{
    private CaseNames(IReadOnlyList<CaseField> different) => Different = different;

    /// <summary>The names of some cases.</summary>
    public static CaseNames Among(IEnumerable<CaseKey> cases)
    {
        CaseKey[] all = [.. cases];
        CaseNames names = new([.. CaseField.All.Where(part => all.Select(part.Text).Distinct(StringComparer.Ordinal).Count() > 1)]);
        bool differInLength = all.GroupBy(names.Of).Any(same => same.DistinctBy(key => key.MaxLength).Count() > 1);
        return differInLength ? new CaseNames([.. names.Different, CaseField.Length]) : names;
    }

    /// <summary>The same names without what is compared: <c>engine</c>, <c>model_name</c>, <c>prompt_id</c>.</summary>
    internal CaseNames Without(IReadOnlyCollection<string> columns) =>
        new([
            .. Different.Where(part =>
                !columns.Any(column => column == part.Name || column == $"{part.Name}_name" || column == $"{part.Name}_id")
            ),
        ]);

    /// <summary>What the cases differ in.</summary>
    internal IReadOnlyList<CaseField> Different { get; }

    /// <summary>What the cases differ in or, where nothing differs, the precision: a case has a name.</summary>
    internal IReadOnlyList<CaseField> Naming => Different.Count > 0 ? Different : [CaseField.Precision];

    /// <summary>The name of one: <c>int4 pp512</c>.</summary>
    public string Of(CaseKey key) => string.Join(' ', Naming.Select(part => part.Named(key)).Where(text => text.Length > 0));

    /// <summary>What several have in common and others have not; empty when that is nothing.</summary>
    internal string Common(IReadOnlyCollection<CaseKey> cases) =>
        string.Join(
            ' ',
            Different
                .Select(part => cases.Select(part.Named).Distinct(StringComparer.Ordinal).ToArray())
                .Where(texts => texts is [{ Length: > 0 }])
                .Select(texts => texts[0])
        );
}
