namespace Llama3Perf.Results.Report;

/// <summary>Orders versions as people do: numbers in a text count as numbers, so 9 comes before 10.</summary>
internal sealed class VersionOrder : IComparer<string>
{
    public static VersionOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> left = x;
        ReadOnlySpan<char> right = y;
        while (left.Length > 0 && right.Length > 0)
        {
            int leftLength = PartLength(left);
            int rightLength = PartLength(right);
            int order = CompareParts(left[..leftLength], right[..rightLength]);
            if (order != 0)
            {
                return order;
            }

            left = left[leftLength..];
            right = right[rightLength..];
        }

        return left.Length != right.Length ? left.Length.CompareTo(right.Length) : string.CompareOrdinal(x, y);
    }

    private static int CompareParts(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (!char.IsAsciiDigit(left[0]) || !char.IsAsciiDigit(right[0]))
        {
            return left[0].CompareTo(right[0]);
        }

        left = left.TrimStart('0');
        right = right.TrimStart('0');
        return left.Length != right.Length ? left.Length.CompareTo(right.Length) : left.SequenceCompareTo(right);
    }

    /// <summary>A number is one part, and every other character.</summary>
    private static int PartLength(ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : Math.Max(end, 1);
    }
}
