using System.Globalization;

namespace Llama3Perf.Results.Schema;

/// <summary>Numbers as people read them.</summary>
public static class Figure
{
    /// <summary>Four significant digits, and all of those before the point; empty when unknown.</summary>
    public static string Text(double? value)
    {
        if (value is not { } number)
        {
            return "";
        }

        int decimals = number == 0 ? 0 : Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Abs(number))), 0, 6);
        return number.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
