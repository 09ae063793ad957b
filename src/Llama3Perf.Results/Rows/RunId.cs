using System.Globalization;
using System.Security.Cryptography;

namespace Llama3Perf.Results.Rows;

/// <summary>Names of runs: <c>20260131-120000-3f9c</c>. Sorted by name they are sorted by time.</summary>
public static class RunId
{
    /// <summary>A new name; runs that start in the same second differ in the last four digits.</summary>
    public static string New(DateTimeOffset start) =>
        $"{start.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}-"
        + $"{RandomNumberGenerator.GetHexString(4, lowercase: true)}";
}
