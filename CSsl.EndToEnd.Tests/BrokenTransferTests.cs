using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A transfer that one side leaves in the middle: the other side learns it, and a part is never taken for the whole.</summary>
[Collection(OwnOrigin.Name)]
public sealed class BrokenTransferTests(ClusterWithTestOrigin site, ITestOutputHelper output) : ClusterTest(site.Cluster, output)
{
    private static readonly byte[] Block = new byte[64 * 1024];

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task Origin_sees_the_abort_when_the_client_goes_away(string http)
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        site.Origin.Handler = async context =>
        {
            using CancellationTokenRegistration registration = context.RequestAborted.Register(aborted.SetResult);
            await SendUntilAbortedAsync(context);
        };
        await using Tool curl = Tool.Start("curl", ["-sSN", http, "--cacert", Cluster.CertificateAuthority, Url("/endless")]);
        await curl.Output.WaitForAsync("\0\0\0\0");

        curl.Kill();

        await aborted.Task.WaitAsync(Tool.DefaultDeadline);
    }

    [Theory]
    [InlineData("--http1.1", "--tlsv1.3", true)]
    [InlineData("--http1.1", "--tlsv1.3", false)]
    [InlineData("--http1.1", "--tls-max 1.2", true)]
    [InlineData("--http1.1", "--tls-max 1.2", false)]
    [InlineData("--http2", "--tlsv1.3", true)]
    [InlineData("--http2", "--tlsv1.3", false)]
    public async Task Client_sees_an_error_when_the_origin_goes_away(string http, string tls, bool lengthIsKnown)
    {
        site.Origin.Handler = async context =>
        {
            context.Response.ContentLength = lengthIsKnown ? 100L * Block.Length : null;
            for (int i = 0; i < 10; i++)
                await context.Response.Body.WriteAsync(Block);
            await context.Response.Body.FlushAsync();
            context.Abort();
        };

        ToolResult result = await Tool.RunAsync("curl",
            ["-sS", http, .. tls.Split(' '), "--cacert", Cluster.CertificateAuthority, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", Url("/broken")]);

        Assert.NotEqual(0, result.ExitCode);
        Assert.True(long.Parse(result.Output.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) <= 10 * Block.Length);
    }

    [Fact]
    public async Task Response_without_length_that_ends_in_order_is_whole()
    {
        site.Origin.Handler = async context =>
        {
            for (int i = 0; i < 10; i++)
                await context.Response.Body.WriteAsync(Block);
        };

        ToolResult result = (await Tool.RunAsync("curl", ["-sS", "--http1.1", "--cacert", Cluster.CertificateAuthority, Url("/whole")])).Succeeded();

        Assert.Equal(10 * Block.Length, result.Output.Length);
    }

    [Fact]
    public async Task Half_closed_client_still_gets_its_response()
    {
        var requestRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var clientHasClosed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        site.Origin.Handler = async context =>
        {
            requestRead.SetResult();
            await clientHasClosed.Task;
            context.Response.ContentLength = Block.Length;
            await context.Response.Body.WriteAsync(Block);
        };
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", Cluster.Port);
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(Web.Trusting(Cluster));
        await tls.WriteAsync(Encoding.ASCII.GetBytes(SClient.Get("/half")));
        await requestRead.Task.WaitAsync(Tool.DefaultDeadline);

        await tls.ShutdownAsync(); // close_notify
        socket.Shutdown(SocketShutdown.Send); // FIN
        clientHasClosed.SetResult();

        using var received = new MemoryStream();
        await tls.CopyToAsync(received).WaitAsync(Tool.DefaultDeadline);
        HttpText response = HttpText.Parse(Encoding.Latin1.GetString(received.ToArray()));
        Assert.Equal(200, response.Status);
        Assert.Equal(Block, response.Body);
    }

    private static async Task SendUntilAbortedAsync(HttpContext context)
    {
        context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
        while (!context.RequestAborted.IsCancellationRequested)
            await context.Response.Body.WriteAsync(Block, context.RequestAborted);
    }
}
