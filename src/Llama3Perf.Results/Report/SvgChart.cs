using System.Globalization;
using System.Xml.Linq;
using ScottPlot;

namespace Llama3Perf.Results.Report;

/// <summary>What is done to the SVG that ScottPlot draws, so that it scales, stands in a page, and has text in the reader's own
/// font.</summary>
internal static class SvgChart
{
    private const string Fonts = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    /// <summary>A file by itself, on white.</summary>
    public static string File(ChartSheet sheet)
    {
        XElement root = Scalable(sheet);
        root.AddFirst(
            new XElement(s_svg + "rect", new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("fill", "white"))
        );
        return $"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{Text(root)}\n";
    }

    /// <summary>An element of a page: colours become CSS variables.</summary>
    public static string Element(ChartSheet sheet)
    {
        XElement root = Scalable(sheet);
        root.Attribute("width")!.Remove();
        root.Attribute("height")!.Remove();
        foreach (XElement element in root.DescendantsAndSelf())
        {
            // An HTML page knows its SVG without namespaces.
            element.Name = element.Name.LocalName;
            element.Attributes().Where(attribute => attribute.IsNamespaceDeclaration).Remove();
            foreach (XAttribute attribute in element.Attributes().Where(attribute => attribute.Name.LocalName is "fill" or "stroke"))
            {
                attribute.Value = Variable(attribute.Value);
            }
        }

        return Text(root);
    }

    private static XElement Scalable(ChartSheet sheet)
    {
        XElement root = XElement.Parse(sheet.Svg());
        root.SetAttributeValue("viewBox", $"0 0 {root.Attribute("width")!.Value} {root.Attribute("height")!.Value}");

        // Nothing is drawn beyond the sheet, so the clips around each mark say nothing; backgrounds are transparent, which SVG would show
        // black.
        root.Descendants(s_svg + "clipPath").Remove();
        root.Elements(s_svg + "rect").Where(rect => rect.Attribute("fill") is null).Remove();
        foreach (XElement group in root.Elements(s_svg + "g").ToArray())
        {
            group.ReplaceWith(group.Elements());
        }

        root.Add(sheet.Labels().Select(Text));
        return root;
    }

    /// <summary>Text that the browser places itself, whatever font it has.</summary>
    private static XElement Text(ChartLabel label) =>
        new(
            s_svg + "text",
            new XAttribute("x", Math.Round(label.X, 2)),
            new XAttribute("y", Math.Round(label.Baseline, 2)),
            new XAttribute("fill", Rgb(label.Color)),
            new XAttribute("font-family", Fonts),
            new XAttribute("font-size", label.Size),
            label.Bold ? new XAttribute("font-weight", "600") : null,
            label.Centred ? new XAttribute("text-anchor", "middle") : null,
            label.Text
        );

    private static string Variable(string color) =>
        Palette
            .Variables.Where(known =>
                color.Equals(Rgb(known.Color), StringComparison.OrdinalIgnoreCase) || color == Functional(known.Color)
            )
            .Select(known => $"var({known.Variable})")
            .FirstOrDefault(color);

    private static string Rgb(Color color) => string.Create(CultureInfo.InvariantCulture, $"#{color.R:x2}{color.G:x2}{color.B:x2}");

    private static string Functional(Color color) => string.Create(CultureInfo.InvariantCulture, $"rgb({color.R},{color.G},{color.B})");

    private static string Text(XElement root) => root.ToString(SaveOptions.DisableFormatting);
}
