using System.Globalization;
using System.Text;

namespace CSsl.Bench.ClusterSim;

/// <summary>One line of a chart.</summary>
internal sealed record Line(string Name, string Colour, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A chart of lines over time.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Maximum">The top of the vertical axis.</param>
/// <param name="Format">How its numbers are written.</param>
/// <param name="Lines">What is drawn.</param>
/// <param name="Shade">From when to when the trouble is.</param>
internal sealed record Chart(string Title, double Maximum, Func<double, string> Format, IReadOnlyList<Line> Lines, (double From, double To)? Shade);

/// <summary>Draws charts in a grid as SVG: text, so that a change of it can be read.</summary>
internal static class SvgPlot
{
    private const int Width = 420, Height = 200, Left = 48, Right = 12, Top = 28, Bottom = 44;
    private const int GridLines = 4;

    /// <summary>The file's content.</summary>
    public static string Draw(IReadOnlyList<Chart> charts, int columns)
    {
        var rows = (charts.Count + columns - 1) / columns;
        var svg = new StringBuilder();
        svg.Append(Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{columns * Width}\" height=\"{rows * Height}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"));
        for (var i = 0; i < charts.Count; i++)
            Draw(svg, charts[i], i % columns * Width, i / columns * Height);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Draw(StringBuilder svg, Chart chart, int x, int y)
    {
        var end = chart.Lines.Max(static line => line.Points.Max(static point => point.X));
        double X(double at) => x + Left + (at / end * (Width - Left - Right));
        double Y(double value) => y + Top + ((1 - Math.Clamp(value / chart.Maximum, 0, 1)) * (Height - Top - Bottom));

        svg.Append(Invariant($"<text x=\"{x + Left}\" y=\"{y + 18}\" font-weight=\"bold\">{chart.Title}</text>\n"));
        if (chart.Shade is { } shade)
            svg.Append(Invariant($"<rect x=\"{X(shade.From):0.0}\" y=\"{y + Top}\" width=\"{X(shade.To) - X(shade.From):0.0}\" height=\"{Height - Top - Bottom}\" fill=\"#fdeedc\"/>\n"));
        for (var i = 0; i <= GridLines; i++)
        {
            var value = chart.Maximum * i / GridLines;
            svg.Append(Invariant($"<line x1=\"{x + Left}\" y1=\"{Y(value):0.0}\" x2=\"{x + Width - Right}\" y2=\"{Y(value):0.0}\" stroke=\"#ddd\"/><text x=\"{x + Left - 4}\" y=\"{Y(value) + 4:0.0}\" text-anchor=\"end\">{chart.Format(value)}</text>\n"));
        }

        for (var at = 0.0; at <= end; at += 5)
            svg.Append(Invariant($"<text x=\"{X(at):0.0}\" y=\"{y + Height - Bottom + 14}\" text-anchor=\"middle\">{at:0} s</text>\n"));
        for (var i = 0; i < chart.Lines.Count; i++)
        {
            var line = chart.Lines[i];
            var points = string.Join(' ', line.Points.Select(point => Invariant($"{X(point.X):0.0},{Y(point.Y):0.0}")));
            svg.Append(Invariant($"<polyline points=\"{points}\" fill=\"none\" stroke=\"{line.Colour}\" stroke-width=\"1.5\"/>\n"));
            svg.Append(Invariant($"<text x=\"{x + Left + (i * 180)}\" y=\"{y + Height - 12}\" fill=\"{line.Colour}\">{line.Name}</text>\n"));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
