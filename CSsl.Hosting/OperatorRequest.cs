using System.Net;
using Microsoft.AspNetCore.Http;

namespace CSsl.Hosting;

/// <summary>Who may change something at an admin endpoint: a program on this machine, and no web page that somebody on this machine looks at.</summary>
/// <remarks>
/// The endpoint has no password. A page of a browser can send a POST to 127.0.0.1, but not with this content type unless the server
/// agrees (CORS), which this one never does; and a name that an attacker points at 127.0.0.1 (DNS rebinding) is not the Host of a request of ours.
/// </remarks>
internal static class OperatorRequest
{
    /// <summary>The content type of every request that changes something.</summary>
    public const string ContentType = "application/json";

    /// <summary>True, or the response is a refusal.</summary>
    public static bool IsAllowed(HttpContext context)
    {
        var request = context.Request;
        context.Response.StatusCode = 0 switch
        {
            _ when !IsFromHere(context) || request.Headers.Origin.Count > 0 => StatusCodes.Status403Forbidden,
            _ when request.ContentType?.Split(';')[0].Trim() != ContentType => StatusCodes.Status415UnsupportedMediaType,
            _ => StatusCodes.Status200OK,
        };
        return context.Response.StatusCode == StatusCodes.Status200OK;
    }

    /// <summary>From this machine, and to an address, not to a name that may point anywhere.</summary>
    public static bool IsFromHere(HttpContext context) => IsLocal(context.Connection) && IsAddress(context.Request.Host.Host);

    private static bool IsLocal(ConnectionInfo connection)
        => connection.RemoteIpAddress is { } remote && (IPAddress.IsLoopback(remote) || remote.Equals(connection.LocalIpAddress));

    private static bool IsAddress(string host) => host == "localhost" || IPAddress.TryParse(host.Trim('[', ']'), out _);
}
