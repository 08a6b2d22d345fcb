namespace CSsl.Cli.Up;

/// <summary>One stream of lines for all processes of the cluster, each line with the name of who wrote it.</summary>
internal sealed class PrefixedOutput(TextWriter writer, bool colours)
{
    /// <summary>The name of this program's own lines.</summary>
    public const string Self = "cssl";

    /// <summary>ANSI colours (SGR) that are readable on dark and on light.</summary>
    private static readonly int[] Palette = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _colours = [];
    private int _width = "handshake-1".Length;

    /// <summary>For standard output: colours on a terminal, unless NO_COLOR says otherwise (no-color.org).</summary>
    public static PrefixedOutput ForConsole()
        => new(Console.Out, !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));

    /// <summary>A line of a process.</summary>
    public void Line(string name, string text)
    {
        lock (_lock)
        {
            _width = Math.Max(_width, name.Length);
            var padded = name.PadRight(_width);
            Write(colours ? $"\e[{ColourOf(name)}m{padded} |\e[0m {text}" : $"{padded} | {text}");
        }
    }

    /// <summary>A line without a name, for programs to read.</summary>
    public void Plain(string text)
    {
        lock (_lock)
            Write(text);
    }

    /// <summary>Copies a process's output to its end.</summary>
    public async Task CopyAsync(string name, TextReader source)
    {
        while (await source.ReadLineAsync() is { } line)
            Line(name, line);
    }

    private int ColourOf(string name)
    {
        if (!_colours.TryGetValue(name, out var colour))
            _colours[name] = colour = Palette[_colours.Count % Palette.Length];
        return colour;
    }

    private void Write(string line)
    {
        try
        {
            writer.WriteLine(line);
            writer.Flush();
        }
        catch (IOException)
        {
            // Whoever read this is gone (cssl up | head): the cluster goes on without.
        }
    }
}
