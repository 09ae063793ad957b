namespace Llama3Perf.Results.Schema;

/// <summary>
/// Text in a cell that a spreadsheet does not take for a formula: one that begins like a formula gets an apostrophe in front, which
/// spreadsheets hide, and so does one that begins with an apostrophe, so that every text is read back as it was. Since schema version 3.
/// </summary>
internal static class SpreadsheetText
{
    /// <summary>First version of the schema whose cells are written so.</summary>
    public const int Since = 3;

    private const char Mark = '\'';

    /// <summary>The text as it stands in a cell.</summary>
    public static string Guard(string text) =>
        text is [Mark or '=' or '+' or '-' or '@' or '\uFF1D' or '\uFF0B' or '\uFF0D' or '\uFF20', ..] ? Mark + text : text;

    /// <summary>The text of a cell.</summary>
    public static ReadOnlySpan<char> Unguard(ReadOnlySpan<char> cell) => cell is [Mark, ..] ? cell[1..] : cell;
}
