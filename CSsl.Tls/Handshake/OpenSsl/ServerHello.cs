using System.Buffers.Binary;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>The ServerHello of TLS 1.2 as OpenSSL writes it: in plaintext, whole, first in its record.</summary>
/// <remarks>
/// RFC 5246 section 7.4.1.3:
/// <code>
///  type (1) = 2 | length (3) | version (2) | random (32) | session id (1 + n) | suite (2) | compression (1) | extensions (2 + n)
///  extension: type (2) | length (2) | data
/// </code>
/// </remarks>
internal static class ServerHello
{
    private const byte MessageType = 2;
    private const int SessionIdOffset = 1 + 3 + 2 + 32;
    private const ushort EncryptThenMacExtension = 22;

    /// <summary>True when the message is a ServerHello with the encrypt_then_mac extension.</summary>
    public static bool HasEncryptThenMac(ReadOnlySpan<byte> message)
    {
        if (message.Length <= SessionIdOffset || message[0] != MessageType)
            return false;

        var extensionsOffset = SessionIdOffset + 1 + message[SessionIdOffset] + 2 + 1;
        if (message.Length < extensionsOffset + 2)
            return false;

        var extensions = message[(extensionsOffset + 2)..];
        var declared = BinaryPrimitives.ReadUInt16BigEndian(message[extensionsOffset..]);
        extensions = extensions[..Math.Min(declared, extensions.Length)];
        while (extensions.Length >= 4)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(extensions) == EncryptThenMacExtension)
                return true;
            var next = 4 + BinaryPrimitives.ReadUInt16BigEndian(extensions[2..]);
            extensions = extensions[Math.Min(next, extensions.Length)..];
        }

        return false;
    }
}
