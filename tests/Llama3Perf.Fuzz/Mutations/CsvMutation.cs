using System.Text;

namespace Llama3Perf.Fuzz.Mutations;

/// <summary>Damages a table and leaves most of it: cells, rows and columns that are gone, doubled, moved or of another kind.</summary>
internal static class CsvMutation
{
    private static readonly string[] s_cells =
    [
        "",
        " ",
        "0",
        "-1",
        "1",
        "1e400",
        "NaN",
        "Infinity",
        "9999999999999999999",
        "1,5",
        "\"",
        "\"a\"\"b\"",
        "\"a\nb\"",
        "true",
        "TRUE",
        "ok",
        "failed",
        "2026-13-45T99:99:99Z",
        "=1+1",
        "'",
        "\0",
        "\r",
        "é",
        "x",
    ];

    public static byte[] Apply(byte[] input, Random random)
    {
        if (random.Next(4) == 0)
        {
            return ByteMutation.Apply(input, random);
        }

        List<List<string>> rows = [.. Encoding.UTF8.GetString(input).Split('\n').Select(line => line.Split(',').ToList())];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            Once(rows, random);
        }

        return Encoding.UTF8.GetBytes(string.Join('\n', rows.Select(row => string.Join(',', row))));
    }

    private static void Once(List<List<string>> rows, Random random)
    {
        int at = random.Next(rows.Count);
        List<string> row = rows[at];
        int column = random.Next(row.Count);
        switch (random.Next(8))
        {
            case 0 when rows.Count > 1:
                rows.RemoveAt(at);
                break;
            case 1:
                rows.Insert(at, [.. row]);
                break;
            case 2:
                rows.RemoveRange(at + 1, rows.Count - at - 1);
                break;
            case 3 when row.Count > 1:
                row.RemoveAt(column);
                break;
            case 4:
                foreach (List<string> each in rows.Where(each => each.Count > column))
                {
                    each.RemoveAt(column);
                }

                rows.RemoveAll(each => each.Count == 0);
                break;
            case 5:
                row[column] = rows[random.Next(rows.Count)][0];
                break;
            default:
                row[column] = s_cells[random.Next(s_cells.Length)];
                break;
        }

        if (rows.Count == 0)
        {
            rows.Add([""]);
        }
    }
}
