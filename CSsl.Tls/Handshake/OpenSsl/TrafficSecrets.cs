using System.Buffers;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>Collects the TLS 1.3 secrets of one connection from OpenSSL's key log, the only way by which they come out.</summary>
/// <remarks>A line: label, space, client_random in hex, space, secret in hex (NSS key log format).</remarks>
internal sealed class TrafficSecrets : IDisposable
{
    /// <summary>" " + 64 digits of client_random + " ".</summary>
    private const int RandomFieldLength = 66;

    private SecretBytes? _client;
    private SecretBytes? _server;
    private SecretBytes? _exporter;

    /// <summary>Set when a callback failed: the handshake must not succeed.</summary>
    public string? Fault { get; set; }

    /// <summary>True when all three are there.</summary>
    public bool IsComplete => _client is not null && _server is not null && _exporter is not null;

    /// <summary>Reads one line of the key log; lines of other secrets are none of ours.</summary>
    public void Add(ReadOnlySpan<byte> line)
    {
        var labelLength = line.IndexOf((byte)' ');
        if (labelLength < 0)
            return;

        var label = line[..labelLength];
        if (label.SequenceEqual("CLIENT_TRAFFIC_SECRET_0"u8))
            Replace(ref _client, line[labelLength..]);
        else if (label.SequenceEqual("SERVER_TRAFFIC_SECRET_0"u8))
            Replace(ref _server, line[labelLength..]);
        else if (label.SequenceEqual("EXPORTER_SECRET"u8))
            Replace(ref _exporter, line[labelLength..]);
    }

    /// <summary>Hands the secrets over: the caller disposes them.</summary>
    /// <exception cref="InvalidOperationException">They are not complete.</exception>
    public (SecretBytes Client, SecretBytes Server, SecretBytes Exporter) Take()
    {
        if (!IsComplete)
            throw new InvalidOperationException("The key log did not give all traffic secrets.");
        var secrets = (_client!, _server!, _exporter!);
        _client = _server = _exporter = null;
        return secrets;
    }

    public void Dispose()
    {
        _client?.Dispose();
        _server?.Dispose();
        _exporter?.Dispose();
    }

    private static void Replace(ref SecretBytes? secret, ReadOnlySpan<byte> fields)
    {
        // A secret is as long as the suite's hash: SHA-256 or SHA-384.
        if (fields.Length is not (RandomFieldLength + 64 or RandomFieldLength + 96))
            throw new FormatException("A key log line whose secret has a length of no suite.");

        var digits = fields[RandomFieldLength..];
        var decoded = new SecretBytes(digits.Length / 2);
        if (Convert.FromHexString(digits, decoded.Span, out _, out _) != OperationStatus.Done)
        {
            decoded.Dispose();
            throw new FormatException("A key log line that is not hexadecimal.");
        }

        secret?.Dispose();
        secret = decoded;
    }
}
