namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>What a client sends, byte for byte as Latin-1, for clients that speak no HTTP of their own.</summary>
internal static class RawHttp
{
    /// <summary>Stands in every page.</summary>
    public const string PageMark = "by data-";

    /// <summary>RFC 9113 section 3.4, with empty SETTINGS.</summary>
    public const string Http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0";

    /// <summary>The head of a GOAWAY frame without debug data (RFC 9113 section 6.8).</summary>
    public const string Http2GoAway = "\0\0\u0008\u0007\0\0\0\0\0";

    /// <summary>A text message, as a server sends it (RFC 6455 section 5.2).</summary>
    public const string Ping = "\u0081\u0004ping";

    /// <summary>The same, as a client sends it; masked with zeros.</summary>
    public const string MaskedPing = "\u0081\u0084\0\0\0\0ping";

    public static string Get(string path) => $"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n";

    public static string Upgrade(string path)
        => $"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    /// <summary>A HEADERS frame that is a whole request; literal fields only (RFC 7541 sections 6.1 and 6.2.2).</summary>
    public static string Http2Get(string path, int stream)
    {
        const string Host = "localhost";
        string fields = $"\u0082\u0087\u0004{(char)path.Length}{path}\u0001{(char)Host.Length}{Host}";
        return $"\0\0{(char)fields.Length}\u0001\u0005\0\0\0{(char)stream}{fields}";
    }
}
