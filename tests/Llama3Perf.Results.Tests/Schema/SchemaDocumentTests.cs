using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Schema;

/// <summary>docs/schema.md is made of the schema and of the doc comments of its properties, so that it cannot say something else.</summary>
public sealed partial class SchemaDocumentTests
{
    /// <summary>What a version changed besides bringing columns, which the schema itself knows.</summary>
    private static readonly string[] s_changes =
    [
        "The first.",
        "External engines: the versions of their parts, and where their clock and ours disagree.",
        "Options of the engine and the suite's build are keys; what is measured once in a launch stands in every iteration of it. "
            + "A text that begins with `'`, `=`, `+`, `-` or `@` (or their full-width forms) has a `'` in front, so that no spreadsheet "
            + "takes it for a formula.",
        "Whether a case's answers were right; the hash of each native library stands beside its version.",
    ];

    private static readonly XDocument s_comments = XDocument.Load(Path.ChangeExtension(typeof(Sample).Assembly.Location, ".xml"));

    [Fact]
    public void The_document_of_the_schema_is_current() => Golden.VerifyFile(Path.Combine("docs", "schema.md"), Document());

    [Fact]
    public void Every_version_says_what_it_changed() => Assert.Equal(SchemaVersion.Current, s_changes.Length);

    private static string Document()
    {
        StringBuilder text = new();
        text.Append("# Columns of the result files\n\n");
        text.Append(
            $"Schema version {SchemaVersion.Current}. This page is made of the schema in `src/Llama3Perf.Results/Schema/` by its tests: "
        );
        text.Append("with `LLAMA3PERF_UPDATE_GOLDEN=1` they write it, otherwise they check that it is current.\n\n");
        text.Append(
            "UTF-8 without a byte order mark, LF, commas, bare numbers with a point, units in the names. An empty cell is unknown, never "
                + "0. "
        );
        text.Append(
            "A *key* is what a comparison must match, unless it is the field that is varied; a *metric* is a measured number; the rest is "
                + "for information. "
        );
        text.Append(
            "Files of older versions are read by the names of their columns: what they lack is unknown, and an unknown key counts as the "
                + "value in brackets "
        );
        text.Append("where there is one. A file of a newer version is refused.\n\n");
        AppendFile(
            text,
            RunFolder.Samples,
            "One row for each measured iteration; comparisons and the gate read this one.",
            SampleSchema.Table.Columns
        );
        AppendFile(text, RunFolder.Results, "One row for each case, measured or not.", ResultSchema.Table.Columns);
        AppendFile(text, RunFolder.Tokens, "One row for each new token.", TokenSchema.Table.Columns);
        AppendHistory(text);
        return text.ToString();
    }

    private static void AppendFile<TRow>(StringBuilder text, string name, string summary, IReadOnlyList<Column<TRow>> columns)
    {
        text.Append($"## {name}\n\n{summary}\n\n");
        text.Append(
            MarkdownTable
                .Write(
                    new TextTable(
                        [
                            new("column", false),
                            new("role", false),
                            new("unit", false),
                            new("better", false),
                            new("since", true),
                            new("meaning", false),
                        ],
                        [
                            .. columns.Select(column =>
                                (string[])
                                    [column.Name, Role(column), column.Unit, Better(column.Direction), $"{column.Since}", Meaning(column)]
                            ),
                        ]
                    )
                )
                .Replace("\\`", "`")
        );
        text.Append('\n');
    }

    private static void AppendHistory(StringBuilder text)
    {
        text.Append("## History\n");
        for (int version = 1; version <= SchemaVersion.Current; version++)
        {
            text.Append($"\n### Version {version}\n\n{s_changes[version - 1]}\n");
            if (version > 1)
            {
                AppendNew(text, RunFolder.Samples, Added(SampleSchema.Table.Columns, version));
                AppendNew(text, RunFolder.Results, Added(ResultSchema.Table.Columns, version));
                AppendNew(text, RunFolder.Tokens, Added(TokenSchema.Table.Columns, version));
            }
        }
    }

    private static void AppendNew(StringBuilder text, string file, string[] names) =>
        text.Append(names.Length > 0 ? $"\n- {file}: {string.Join(", ", names)}" : "").Append(names.Length > 0 ? "\n" : "");

    private static string[] Added<TRow>(IReadOnlyList<Column<TRow>> columns, int version) =>
        [.. columns.Where(column => column.Since == version).Select(column => $"`{column.Name}`")];

    private static string Role<TRow>(Column<TRow> column) =>
        column switch
        {
            { Role: ColumnRole.Key, Absent: { } absent } => $"key ({absent})",
            _ => column.Role.ToString().ToLowerInvariant(),
        };

    private static string Better(Direction direction) =>
        direction switch
        {
            Direction.HigherIsBetter => "higher",
            Direction.LowerIsBetter => "lower",
            _ => "",
        };

    private static string Meaning<TRow>(Column<TRow> column) =>
        column switch
        {
            StatisticColumn { Source: { Statistic: Statistic.LaunchMedian } source } => $"Median over launches of `{source.Name}`.",
            StatisticColumn { Source: { Statistic: Statistic.Spread } source } =>
                $"{Part(column.Name[source.Name.Length..])} of `{source.Name}` over iterations.",
            StatisticColumn { Source: var source } => $"{source.Statistic} of `{source.Name}` over iterations.",
            { Property: { } property } => Comment(property),
            _ => "Version of the schema that the file was written by.",
        };

    private static string Part(string suffix) =>
        suffix switch
        {
            "_median" => "Median",
            "_mean" => "Arithmetic mean",
            "_stddev" => "Sample standard deviation (n - 1)",
            "_min" => "Smallest",
            _ => "Largest",
        };

    private static string Comment(PropertyInfo property)
    {
        string type = property.DeclaringType!.FullName!;
        XElement? comment =
            Member($"P:{type}.{property.Name}")?.Element("summary")
            ?? Member($"T:{type}")?.Elements("param").FirstOrDefault(parameter => parameter.Attribute("name")!.Value == property.Name);
        Assert.True(comment is not null, $"{type}.{property.Name} has no doc comment");
        return Blanks().Replace(string.Concat(comment.Nodes().Select(Plain)), " ").Trim();
    }

    private static XElement? Member(string name) =>
        s_comments.Descendants("member").FirstOrDefault(member => member.Attribute("name")!.Value == name);

    private static string Plain(XNode node) =>
        node switch
        {
            XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
            XElement element => $"`{element.Value}`",
            XText text => text.Value,
            _ => "",
        };

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, 60_000)]
    private static partial Regex Blanks();
}
