using System.Text;

namespace CSsl.Tls.Handshake;

/// <summary>Parses the body of a ClientHello (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2). A method answers null, or the alert that refuses the hello.</summary>
/// <remarks>
/// <code>
///  | version (2) | random (32) | session id &lt;0..32&gt; | cipher suites &lt;2..2^16-2&gt; | compression methods &lt;1..255&gt; | extensions &lt;0..2^16-1&gt; |
///  extension:   | type (2) | data &lt;0..2^16-1&gt; |                                                  may be missing as a whole
/// </code>
/// What only OpenSSL needs is checked by OpenSSL.
/// </remarks>
internal static class ClientHelloParser
{
    /// <summary>Protocols of ALPN that are kept: a hello of 64 KiB could hold ten thousands.</summary>
    internal const int MaxApplicationProtocols = 64;

    private const int MessageHeaderLength = 4;
    private const int RandomLength = 32;
    private const int MaxSessionIdLength = 32;
    private const int MaxServerNameLength = 255;
    private const ushort ServerNameExtension = 0;
    private const ushort AlpnExtension = 16;
    private const ushort SessionTicketExtension = 35;
    private const ushort SupportedVersionsExtension = 43;
    private const byte HostNameType = 0;

    /// <param name="body">The message without its header.</param>
    /// <param name="recordBytes">For <see cref="ClientHello.RecordBytes"/>.</param>
    /// <param name="hello">Set when the answer is null.</param>
    public static AlertDescription? Parse(ReadOnlySpan<byte> body, int recordBytes, out ClientHello? hello)
    {
        hello = null;
        var reader = new WireReader(body);
        var legacyVersion = reader.U16();
        reader.Bytes(RandomLength);
        var sessionId = reader.Vector8();
        var suites = reader.Vector16();
        var compressions = reader.Vector8();
        var extensions = reader.IsEmpty ? default : reader.Vector16();
        reader.End();
        if (reader.Fault is not null || sessionId.Length > MaxSessionIdLength || suites.IsEmpty || suites.Length % 2 != 0 || compressions.IsEmpty)
            return AlertDescription.DecodeError;
        if (ParseExtensions(extensions, out var serverName, out var protocols, out var versions, out var offersTicket) is { } refusal)
            return refusal;

        hello = new ClientHello
        {
            ServerName = serverName,
            ApplicationProtocols = protocols ?? [],
            SessionId = sessionId.ToArray(),
            OffersTicket = offersTicket,
            SupportedVersions = versions ?? [Math.Min(legacyVersion, (ushort)TlsVersion.Tls12)],
            RecordBytes = recordBytes,
            MessageBytes = MessageHeaderLength + body.Length,
        };
        return null;
    }

    private static AlertDescription? ParseExtensions(ReadOnlySpan<byte> extensions, out string? serverName, out List<string>? protocols, out ushort[]? versions, out bool offersTicket)
    {
        (serverName, protocols, versions, offersTicket) = (null, null, null, false);
        var reader = new WireReader(extensions);
        while (!reader.IsEmpty)
        {
            var type = reader.U16();
            var data = reader.Vector16();
            if (reader.Fault is not null)
                return AlertDescription.DecodeError;

            offersTicket |= type == SessionTicketExtension && !data.IsEmpty;

            // RFC 8446 section 4.2: no extension twice. OpenSSL sees to the ones that are skipped here.
            var refusal = type switch
            {
                ServerNameExtension => serverName is null ? ParseServerName(data, out serverName) : AlertDescription.IllegalParameter,
                AlpnExtension => protocols is null ? ParseProtocols(data, out protocols) : AlertDescription.IllegalParameter,
                SupportedVersionsExtension => versions is null ? ParseVersions(data, out versions) : AlertDescription.IllegalParameter,
                _ => null,
            };
            if (refusal is not null)
                return refusal;
        }

        return null;
    }

    /// <summary>RFC 6066 section 3. The list could hold names of other types, which were never defined: exactly one host name is accepted, as OpenSSL does.</summary>
    private static AlertDescription? ParseServerName(ReadOnlySpan<byte> data, out string? serverName)
    {
        serverName = null;
        var reader = new WireReader(data);
        var names = new WireReader(reader.Vector16());
        reader.End();
        var type = names.U8();
        var name = names.Vector16();
        names.End();
        if (reader.Fault is not null || names.Fault is not null || type != HostNameType || name.IsEmpty)
            return AlertDescription.DecodeError;
        if (name.Length > MaxServerNameLength || name.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            return AlertDescription.UnrecognizedName;

        serverName = string.Create(name.Length, name, static (destination, name) => Ascii.ToLower(name, destination, out _));
        return null;
    }

    /// <summary>RFC 7301 section 3.1.</summary>
    private static AlertDescription? ParseProtocols(ReadOnlySpan<byte> data, out List<string>? protocols)
    {
        protocols = null;
        var reader = new WireReader(data);
        var list = reader.Vector16();
        reader.End();
        if (reader.Fault is not null || list.IsEmpty)
            return AlertDescription.DecodeError;

        var kept = new List<string>();
        var names = new WireReader(list);
        while (!names.IsEmpty)
        {
            var name = names.Vector8();
            if (name.IsEmpty)
                return AlertDescription.DecodeError;
            if (kept.Count < MaxApplicationProtocols)
                kept.Add(Encoding.Latin1.GetString(name));
        }

        protocols = kept;
        return null;
    }

    /// <summary>RFC 8446 section 4.2.1.</summary>
    private static AlertDescription? ParseVersions(ReadOnlySpan<byte> data, out ushort[]? versions)
    {
        versions = null;
        var reader = new WireReader(data);
        var list = reader.Vector8();
        reader.End();
        if (reader.Fault is not null || list.IsEmpty || list.Length % 2 != 0)
            return AlertDescription.DecodeError;

        versions = new ushort[list.Length / 2];
        var entries = new WireReader(list);
        for (var i = 0; i < versions.Length; i++)
            versions[i] = entries.U16();
        return null;
    }
}
