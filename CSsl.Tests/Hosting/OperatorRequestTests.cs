using System.Net;
using CSsl.Hosting;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Hosting;

/// <summary>Who may give orders at an admin endpoint that has no password.</summary>
public sealed class OperatorRequestTests
{
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1:9443", "application/json", null, 200)]
    [InlineData("::1", "::1", "[::1]:9443", "application/json; charset=utf-8", null, 200)]
    [InlineData("127.0.0.1", "127.0.0.1", "localhost:9443", "application/json", null, 200)]
    [InlineData("192.0.2.1", "192.0.2.1", "192.0.2.1:9443", "application/json", null, 200)]
    [InlineData("192.0.2.9", "192.0.2.1", "192.0.2.1:9443", "application/json", null, 403)] // another machine
    [InlineData("127.0.0.1", "127.0.0.1", "evil.example:9443", "application/json", null, 403)] // a name that was pointed here
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1:9443", "application/json", "http://evil.example", 403)] // a page in a browser here
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1:9443", "text/plain", null, 415)] // what a page could send unasked
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.1:9443", null, null, 415)]
    public void Only_a_program_on_this_machine_may(string remote, string local, string host, string? contentType, string? origin, int status)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(remote);
        context.Connection.LocalIpAddress = IPAddress.Parse(local);
        context.Request.Host = new HostString(host);
        context.Request.ContentType = contentType;
        if (origin is not null)
            context.Request.Headers.Origin = origin;

        Assert.Equal(status == 200, OperatorRequest.IsAllowed(context));
        Assert.Equal(status != 403 || origin is not null, OperatorRequest.IsFromHere(context));
        Assert.Equal(status, context.Response.StatusCode);
    }
}
