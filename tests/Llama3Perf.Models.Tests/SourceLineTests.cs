namespace Llama3Perf.Models.Tests;

/// <summary>
/// Lines that a reader sees whole. What stands inside raw strings is text of other programs and as long as they write it.
/// </summary>
public sealed class SourceLineTests
{
    private const int Longest = 140;
    private const string RawString = "\"\"\"";

    public static TheoryData<string> Folders { get; } = ["src", "benchmarks", "tests"];

    [Theory]
    [MemberData(nameof(Folders))]
    public void No_line_is_longer_than_a_reader_sees(string folder)
    {
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(Fixtures.Root, folder), "*.cs", SearchOption.AllDirectories)];

        Assert.NotEmpty(files);
        Assert.Empty(files.SelectMany(LongLines));
    }

    [Theory]
    [InlineData(Longest, 0)]
    [InlineData(Longest + 1, 1)]
    public void A_line_counts_from_one_character_too_many(int length, int expected) =>
        Assert.Equal(expected, Long([new string('x', length)]).Count());

    [Fact]
    public void Raw_strings_are_as_long_as_they_are() =>
        Assert.Equal(
            [4],
            Long([
                $"string text = {RawString}",
                new string('x', 200),
                $"    {RawString};",
                new string('x', 141),
                RawString + new string('x', 200) + RawString,
            ])
        );

    private static IEnumerable<string> LongLines(string file) =>
        Long(File.ReadAllLines(file)).Select(line => $"{Path.GetRelativePath(Fixtures.Root, file)}:{line}");

    /// <summary>Numbers of the lines that are too long.</summary>
    private static IEnumerable<int> Long(string[] lines)
    {
        bool isRaw = false;
        for (int i = 0; i < lines.Length; i++)
        {
            int marks = lines[i].Split(RawString).Length - 1;
            if (lines[i].Length > Longest && !isRaw && marks == 0)
            {
                yield return i + 1;
            }

            isRaw ^= marks % 2 == 1;
        }
    }
}
