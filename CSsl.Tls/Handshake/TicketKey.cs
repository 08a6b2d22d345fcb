using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake;

/// <summary>One key that encrypts session tickets. Wiped on dispose.</summary>
/// <remarks>
/// <code>
///  0          16               48               80
///  | key name | HMAC-SHA-256   | AES-256-CBC    |     in clear on the wire: the name alone, before each ticket (RFC 5077 section 4)
/// </code>
/// </remarks>
/// <param name="bytes">The 80 bytes; takes ownership.</param>
/// <param name="issueFrom">When the silos of the cluster begin to issue tickets under it; they open tickets under it from the moment they know it.</param>
public sealed class TicketKey(SecretBytes bytes, DateTimeOffset issueFrom) : IDisposable
{
    /// <summary>Length of a key in bytes, its name included.</summary>
    public const int Length = NameLength + MacKeyLength + CipherKeyLength;

    /// <summary>Length of the name, which tells which key a ticket is under.</summary>
    public const int NameLength = 16;

    internal const int MacKeyLength = 32;
    internal const int CipherKeyLength = 32;

    public DateTimeOffset IssueFrom { get; } = issueFrom;

    /// <summary>The start of the key's name in hex, for logs: the name is public, every ticket begins with it.</summary>
    public string DisplayName => Convert.ToHexStringLower(bytes.Span[..4]);

    /// <summary>All of it.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.Span;

    public static TicketKey Generate(DateTimeOffset issueFrom)
    {
        var bytes = new SecretBytes(Length);
        RandomNumberGenerator.Fill(bytes.Span);
        return new TicketKey(bytes, issueFrom);
    }

    public TicketKey Copy() => new(new SecretBytes(bytes.Span), IssueFrom);

    public void Dispose() => bytes.Dispose();
}
