using System.Reflection;
using System.Text.RegularExpressions;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Tests.Schema;

/// <summary>
/// A column is a property of its record in Rows/ and a row in Schema/; besides them only the code that measures it names it. Whatever
/// writes,
/// reads, aggregates, shows or exports columns takes them from the schema. (A comparison, the gate and a chart may choose a metric by
/// name.)
/// </summary>
public sealed partial class ColumnPlacesTests
{
    private static readonly string s_results = Path.Combine(Fixtures.Root, "src", "Llama3Perf.Results");

    /// <summary>Code of the library and of what the program shows, without comments, by its path.</summary>
    private static readonly Dictionary<string, string> s_code = Sources()
        .ToDictionary(
            path => Path.GetRelativePath(Fixtures.Root, path).Replace('\\', '/'),
            path => Comments().Replace(File.ReadAllText(path), ""),
            StringComparer.Ordinal
        );

    private static readonly string[] s_ofAllColumns = ["Aggregation/Aggregates.cs", "Export", "Files", "Report", "Terminal", "Harness"];

    public static TheoryData<string> Metrics => [.. SampleSchema.Metrics.Select(column => column.Name)];

    [Theory]
    [MemberData(nameof(Metrics))]
    public void A_metric_is_one_property_and_one_row_of_the_schema(string name)
    {
        PropertyInfo property = SampleSchema.Metric(name).Property!;

        Assert.Equal(
            ["Rows/Sample.cs", "Schema/SampleColumns.cs"],
            FilesWith($@"(\.|\s){property.Name}\b", "Rows", "Schema", s_ofAllColumns)
        );
        Assert.Equal(
            ["Schema/SampleColumns.cs"],
            FilesWith($"\"{name}(_median)?\"", "Rows", "Schema", ["Export", "Files", "Terminal", "Harness"])
        );
        Assert.Equal(1, Count(s_code["src/Llama3Perf.Results/Schema/SampleColumns.cs"], $"\"{name}\""));
    }

    [Fact]
    public void A_property_of_a_case_or_a_machine_is_one_row_of_the_schema()
    {
        string columns = s_code["src/Llama3Perf.Results/Schema/CaseColumns.cs"] + s_code["src/Llama3Perf.Results/Schema/RunColumns.cs"];

        foreach (
            PropertyInfo property in CaseColumns
                .All.Select(column => column.Property!)
                .Concat(RunColumns.Environment.Select(column => column.Property!))
        )
        {
            Assert.Equal(1, Count(columns, $@"\b[ce]\.{property.Name}\b"));
        }
    }

    [Fact]
    public void No_heading_is_written_twice()
    {
        string all = string.Concat(s_code.Values);
        string library = string.Concat(
            s_code.Where(file => file.Key.StartsWith("src/", StringComparison.Ordinal)).Select(file => file.Value)
        );

        foreach (Column<ResultRow> column in ResultSchema.Table.Columns.Where(column => column.Heading is not null))
        {
            Assert.DoesNotContain(
                column.Heading!.HasUnit && column.Unit.Length > 0 ? $"\"{column.Title}\"" : "\"\"\"\"",
                all,
                StringComparison.Ordinal
            );
            Assert.True(
                Count(library, $"new(?: TextColumn| Heading)?\\(\"{Regex.Escape(column.Heading.Text)}\"") == 1,
                $"'{column.Heading.Text}' is written twice"
            );
            Assert.True(column.Heading.Name is not { } name || Count(all, $"\"{name}\"") == 1, $"'{column.Heading.Name}' is written twice");
        }
    }

    private static string[] FilesWith(string pattern, string record, string schema, string[] others) =>
        [
            .. s_code
                .Where(file => Count(file.Value, pattern) > 0)
                .Select(file =>
                    file.Key.Replace("src/Llama3Perf.Results/", "", StringComparison.Ordinal)
                        .Replace("benchmarks/", "", StringComparison.Ordinal)
                )
                .Where(file =>
                    file.Split('/')[0] is var folder
                    && (folder == record || folder == schema || others.Contains(folder) || others.Contains(file))
                )
                .Order(StringComparer.Ordinal),
        ];

    private static int Count(string text, string pattern) =>
        Regex.Count(text, pattern, RegexOptions.CultureInvariant, TimeSpan.FromMinutes(1));

    private static IEnumerable<string> Sources() =>
        new[] { s_results, Path.Combine(Fixtures.Root, "benchmarks", "Terminal") }
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Append(Path.Combine(Fixtures.Root, "benchmarks", "Harness", "SummaryColumn.cs"));

    [GeneratedRegex(@"//.*", RegexOptions.CultureInvariant, 60_000)]
    private static partial Regex Comments();
}
