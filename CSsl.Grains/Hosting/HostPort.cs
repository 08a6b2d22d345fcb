using System.Net;

namespace CSsl.Grains.Hosting;

/// <summary>Options of the form "host:port" (checked when the configuration is loaded) as endpoints.</summary>
public static class HostPort
{
    /// <summary>The endpoint to listen on or to dial: "localhost" is the IPv4 loopback, "*" all addresses (IPv6 and IPv4).</summary>
    /// <exception cref="FormatException">Not host:port.</exception>
    public static IPEndPoint Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0)
            throw new FormatException($"\"{text}\" is not host:port");

        return text[..colon] switch
        {
            "*" => new IPEndPoint(IPAddress.IPv6Any, PortOf(text, colon)),
            "localhost" => new IPEndPoint(IPAddress.Loopback, PortOf(text, colon)),
            _ => IPEndPoint.TryParse(text, out var endpoint) ? endpoint : throw new FormatException($"\"{text}\" is not host:port"),
        };
    }

    private static ushort PortOf(string text, int colon)
        => ushort.TryParse(text.AsSpan(colon + 1), out var port) ? port : throw new FormatException($"\"{text}\" is not host:port");
}
