using CSsl.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class LineFormatterTests
{
    [Fact]
    public void Entry_is_one_line_whatever_is_in_it()
        => Assert.Equal("00:00:00.000 warn CSsl.X: GET /  evil [31m (IOException: a b)\n", Format(LogLevel.Warning, "GET /\r\nevil\e[31m", new IOException("a\nb")));

    [Fact]
    public void Error_keeps_its_stack_trace_indented()
        => Assert.Equal("00:00:00.000 fail CSsl.X: m\n    System.IO.IOException: a\n    b\n", Format(LogLevel.Error, "m", new IOException("a\nb")));

    private static string Format(LogLevel level, string message, Exception? exception)
    {
        using var writer = new StringWriter();
        new LineFormatter(new FakeTimeProvider()).Write(new LogEntry<string>(level, "CSsl.X", default, message, exception, (state, _) => state), null, writer);
        return writer.ToString();
    }
}
