using CSsl.Cli.Up;
using Xunit;

namespace CSsl.Tests.Cli.Up;

public sealed class PrefixedOutputTests
{
    [Fact]
    public async Task Every_line_has_its_writers_name()
    {
        using var writer = new StringWriter();
        var output = new PrefixedOutput(writer, colours: false);
        await output.CopyAsync("data-1", new StringReader("a\nb\r\nc"));
        output.Line("gateway-1", "d");
        output.Plain("ready https://127.0.0.1:8443");
        Assert.Equal("data-1      | a\ndata-1      | b\ndata-1      | c\ngateway-1   | d\nready https://127.0.0.1:8443\n", writer.ToString());
    }

    [Fact]
    public void Every_name_has_its_colour()
    {
        using var writer = new StringWriter();
        var output = new PrefixedOutput(writer, colours: true);
        foreach (var name in (string[])["data-1", "data-2", "data-1"])
            output.Line(name, "x");
        var lines = writer.ToString().Split('\n');
        Assert.StartsWith("\e[36mdata-1", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("\e[33mdata-2", lines[1], StringComparison.Ordinal);
        Assert.Equal(lines[0], lines[2]);
    }
}
