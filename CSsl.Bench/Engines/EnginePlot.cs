using System.Globalization;
using System.Text;

namespace CSsl.Bench.Engines;

/// <summary>Bars of bytes per second by record size, a panel for each suite, with the most connections that were measured.</summary>
internal sealed class EnginePlot(IReadOnlyList<string> names, IReadOnlyList<EngineResult> results)
{
    private const int Columns = 2, PanelWidth = 520, PanelHeight = 240, Left = 48, Right = 12, Top = 34, Bottom = 34, Legend = 34;
    private static readonly string[] Colors = ["#9db4c0", "#5c6b73", "#f4a259", "#bc4b51", "#5b8e7d"];

    private readonly StringBuilder _svg = new();

    public string ToSvg()
    {
        int connections = results.Max(result => result.Load.Connections);
        var panels = results.Where(result => result.Load.Connections == connections).GroupBy(result => result.Suite).ToArray();
        int height = Legend + PanelHeight * ((panels.Length + Columns - 1) / Columns);
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Columns * PanelWidth} {height}\" font-family=\"sans-serif\" font-size=\"11\">");
        Add($"<rect width=\"{Columns * PanelWidth}\" height=\"{height}\" fill=\"#fff\"/>");
        for (int i = 0; i < names.Count; i++)
        {
            int x = Left + i * 170;
            Add($"<rect x=\"{x}\" y=\"10\" width=\"12\" height=\"12\" fill=\"{Colors[i]}\"/><text x=\"{x + 18}\" y=\"20\">{names[i]}</text>");
        }

        for (int i = 0; i < panels.Length; i++)
            Panel(panels[i].Key.Name, [.. panels[i]], connections, i % Columns * PanelWidth, Legend + i / Columns * PanelHeight);
        Add($"</svg>");
        return _svg.ToString();
    }

    private void Panel(string name, EngineResult[] sizes, int connections, int left, int top)
    {
        double[][] bars = [.. sizes.Select(Bars)];
        double step = Step(bars.Max(group => group.Max()));
        double most = Math.Ceiling(bars.Max(group => group.Max()) / step) * step;
        int plotLeft = left + Left, plotTop = top + Top, plotWidth = PanelWidth - Left - Right, plotHeight = PanelHeight - Top - Bottom;
        double Y(double value) => plotTop + plotHeight * (1 - value / most);

        Add($"<text x=\"{plotLeft}\" y=\"{top + 22}\" font-size=\"13\" font-weight=\"bold\">{name}, {connections} connections: GB/s</text>");
        for (double tick = 0; tick <= most + step / 2; tick += step)
        {
            Add($"<line x1=\"{plotLeft}\" x2=\"{plotLeft + plotWidth}\" y1=\"{Y(tick):0.0}\" y2=\"{Y(tick):0.0}\" stroke=\"#ddd\"/>");
            Add($"<text x=\"{plotLeft - 6}\" y=\"{Y(tick) + 4:0.0}\" text-anchor=\"end\" fill=\"#555\">{tick:0.##}</text>");
        }

        double group = (double)plotWidth / sizes.Length, bar = group / (names.Count + 1);
        for (int i = 0; i < sizes.Length; i++)
        {
            for (int j = 0; j < bars[i].Length; j++)
                Add($"<rect x=\"{plotLeft + i * group + (j + 0.5) * bar:0.0}\" y=\"{Y(bars[i][j]):0.0}\" width=\"{bar - 1:0.0}\" height=\"{plotTop + plotHeight - Y(bars[i][j]):0.0}\" fill=\"{Colors[j]}\"/>");
            Add($"<text x=\"{plotLeft + (i + 0.5) * group:0.0}\" y=\"{plotTop + plotHeight + 16}\" text-anchor=\"middle\" fill=\"#555\">{sizes[i].Load.Size} bytes</text>");
        }
    }

    private double[] Bars(EngineResult result) => [.. Enumerable.Range(0, names.Count - 1).Select(result.GigabytesPerSecond), result.OpenSsl / 1e9];

    /// <summary>Four to eight lines.</summary>
    private static double Step(double most)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(most)));
        return (most / power) switch { < 2 => power / 4, < 5 => power / 2, _ => power };
    }

    private void Add(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
