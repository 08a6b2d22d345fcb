using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace CSsl.Hosting;

/// <summary>Options of the form "host:port" (checked when the configuration is loaded) as endpoints: "127.0.0.1:80", "[::1]:80", "localhost:80", "*:80".</summary>
public static class HostPort
{
    /// <summary>The endpoint to listen on or to dial: "localhost" is the IPv4 loopback, "*" all addresses (IPv6 and IPv4). Asks no name server.</summary>
    /// <exception cref="FormatException">Not host:port.</exception>
    public static IPEndPoint Parse(string text)
        => TryParse(text, out var endpoint) ? endpoint : throw new FormatException($"\"{text}\" is not host:port");

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(string text, [NotNullWhen(true)] out IPEndPoint? endpoint)
    {
        endpoint = null;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return false;

        var host = text[..colon];
        var isBracketed = host.StartsWith('[') && host.EndsWith(']');
        var address = host switch
        {
            "*" => IPAddress.IPv6Any,
            "localhost" => IPAddress.Loopback,
            _ when isBracketed == host.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(host.Trim('[', ']'), out var parsed) => parsed,
            _ => null,
        };
        if (address is not null)
            endpoint = new IPEndPoint(address, port);
        return endpoint is not null;
    }

    /// <summary>Where a process on this machine reaches a listener: loopback for one that listens on all addresses.</summary>
    public static IPEndPoint Reachable(IPEndPoint listener)
        => listener.Address.Equals(IPAddress.Any) || listener.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(IPAddress.Loopback, listener.Port) : listener;
}
