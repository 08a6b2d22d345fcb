using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake;

/// <summary>One key that encrypts session tickets, and marks TLS 1.2 session ids as the cluster's own (<see cref="SessionIds"/>). Wiped on dispose.</summary>
/// <remarks>
/// <code>
///  0          16               48               80               112
///  | key name | HMAC-SHA-256   | AES-256-CBC    | session ids    |     in clear on the wire: the name alone, before each ticket (RFC 5077 section 4)
/// </code>
/// </remarks>
/// <param name="bytes">The 112 bytes; takes ownership.</param>
/// <param name="issueFrom">When the silos of the cluster begin to issue tickets under it; they open tickets under it from the moment they know it.</param>
public sealed class TicketKey(SecretBytes bytes, DateTimeOffset issueFrom) : IDisposable
{
    /// <summary>Length of a key in bytes, its name included.</summary>
    public const int Length = SessionIdKeyOffset + SessionIds.KeyLength;

    /// <summary>Length of the name, which tells which key a ticket is under.</summary>
    public const int NameLength = 16;

    internal const int MacKeyLength = 32;
    internal const int CipherKeyLength = 32;
    internal const int SessionIdKeyOffset = NameLength + MacKeyLength + CipherKeyLength;

    public DateTimeOffset IssueFrom { get; } = issueFrom;

    /// <summary>The start of the key's name in hex, for logs: the name is public, every ticket begins with it.</summary>
    public string DisplayName => Convert.ToHexStringLower(bytes.Span[..4]);

    /// <summary>All of it.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.Span;

    public static TicketKey Generate(DateTimeOffset issueFrom) => new(Generate(), issueFrom);

    /// <summary>The bytes of a new one, random; the caller's to dispose.</summary>
    internal static SecretBytes Generate()
    {
        var bytes = new SecretBytes(Length);
        RandomNumberGenerator.Fill(bytes.Span);
        return bytes;
    }

    public TicketKey Copy() => new(new SecretBytes(bytes.Span), IssueFrom);

    public void Dispose() => bytes.Dispose();
}
