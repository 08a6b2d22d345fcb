using System.Net;
using System.Net.Sockets;
using System.Text;
using CSsl.Cli.Status;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli;

public sealed class StatusCommandTests
{
    [Fact]
    public async Task Status_says_when_nothing_answers()
    {
        var port = Ports.Free(1)[0];
        var result = await Cssl.RunAsync(["status", "--admin", $"{port}"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Equal($"cssl: nothing answers at http://127.0.0.1:{port}/status: is the cluster up? (cssl up; --admin if it is elsewhere)\n", result.Error);
    }

    [Theory]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")]
    public async Task Status_says_when_something_else_answers(string answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeOnceAsync(listener, answer);
        using var client = new StatusClient(listener.LocalEndpoint.ToString()!);
        var error = await Assert.ThrowsAsync<StatusException>(() => client.GetAsync(CancellationToken.None));
        Assert.Contains("is not a C-SSL gateway", error.Message, StringComparison.Ordinal);
        await serving;
    }

    private static async Task ServeOnceAsync(TcpListener listener, string answer)
    {
        using var client = await listener.AcceptTcpClientAsync();
        var stream = client.GetStream();
        await stream.ReadAtLeastAsync(new byte[4096], 16);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
    }
}
