using System.Text;

namespace Llama3Perf.Results.Report;

/// <summary>
/// How wide a text is, from a table and not from the machine's fonts: the layout of a chart is the same on every machine, also on
/// one without fonts.
/// </summary>
internal static class TextWidth
{
    /// <summary>Advance widths of the characters from space to ~ in DejaVu Sans, thousandths of the size. Few fonts for screens are wider,
    /// so a text fits in the reader's font too.</summary>
    private static readonly short[] s_advances =
    [
        318,
        401,
        460,
        838,
        636,
        950,
        780,
        275,
        390,
        390,
        500,
        838,
        318,
        361,
        318,
        337,
        636,
        636,
        636,
        636,
        636,
        636,
        636,
        636,
        636,
        636,
        337,
        337,
        838,
        838,
        838,
        531,
        1000,
        684,
        686,
        698,
        770,
        632,
        575,
        775,
        752,
        295,
        295,
        656,
        557,
        863,
        748,
        787,
        603,
        787,
        695,
        635,
        611,
        732,
        684,
        989,
        685,
        611,
        685,
        390,
        337,
        390,
        838,
        500,
        500,
        613,
        635,
        550,
        635,
        615,
        352,
        635,
        634,
        278,
        278,
        579,
        278,
        974,
        634,
        612,
        635,
        635,
        411,
        521,
        392,
        634,
        592,
        818,
        592,
        592,
        525,
        636,
        337,
        636,
        838,
    ];

    /// <summary>All other characters count as full ideographs, the widest there are.</summary>
    private const int Ideograph = 1000;

    /// <summary>Bold letters are on average this much wider.</summary>
    private const double BoldRatio = 1.13;

    /// <summary>Width of a text in a font of this size, in the units of the size.</summary>
    public static float Of(string text, float size, bool bold = false) =>
        (float)(text.EnumerateRunes().Sum(Advance) * size / 1000 * (bold ? BoldRatio : 1));

    private static int Advance(Rune rune) => rune.Value - ' ' is int i && i >= 0 && i < s_advances.Length ? s_advances[i] : Ideograph;
}
