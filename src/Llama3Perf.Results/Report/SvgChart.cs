using System.Globalization;
using System.Xml.Linq;
using ScottPlot;

namespace Llama3Perf.Results.Report;

/// <summary>What is done to the SVG that ScottPlot draws, so that it scales, stands in a page, and has the reader's own fonts.</summary>
internal static class SvgChart
{
    private const string Fonts = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>A file by itself, on white.</summary>
    public static string File(string svg)
    {
        XElement root = Scalable(svg);
        root.AddFirst(new XElement(Svg + "rect", new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("fill", "white")));
        return $"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{Text(root)}\n";
    }

    /// <summary>An element of a page: colours become CSS variables.</summary>
    public static string Element(string svg)
    {
        XElement root = Scalable(svg);
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

    private static XElement Scalable(string svg)
    {
        XElement root = XElement.Parse(svg);
        root.SetAttributeValue("viewBox", $"0 0 {root.Attribute("width")!.Value} {root.Attribute("height")!.Value}");

        // Nothing is drawn beyond the sheet, so the clips around each mark say nothing; backgrounds are transparent, which SVG would show black.
        root.Descendants(Svg + "clipPath").Remove();
        root.Elements(Svg + "rect").Where(rect => rect.Attribute("fill") is null).Remove();
        foreach (XElement group in root.Elements(Svg + "g").ToArray())
        {
            group.ReplaceWith(group.Elements());
        }

        foreach (XElement text in root.Descendants(Svg + "text"))
        {
            // The letters stand where the drawing machine's font had them; a browser with another font places them itself.
            text.SetAttributeValue("x", text.Attribute("x")?.Value.Split(',')[0].Trim());
            text.SetAttributeValue("y", text.Attribute("y")?.Value.Split(',')[0].Trim());
            text.SetAttributeValue("font-family", Fonts);
            text.Value = text.Value.Trim();
        }

        return root;
    }

    private static string Variable(string color) =>
        Palette.Variables.Where(known => color.Equals(Rgb(known.Color), StringComparison.OrdinalIgnoreCase) || color == Functional(known.Color))
            .Select(known => $"var({known.Variable})").FirstOrDefault(color);

    private static string Rgb(Color color) => string.Create(CultureInfo.InvariantCulture, $"#{color.R:x2}{color.G:x2}{color.B:x2}");

    private static string Functional(Color color) => string.Create(CultureInfo.InvariantCulture, $"rgb({color.R},{color.G},{color.B})");

    private static string Text(XElement root) => root.ToString(SaveOptions.DisableFormatting);
}
