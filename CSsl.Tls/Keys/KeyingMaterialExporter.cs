using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Keys;

/// <summary>Derives keys for protocols above TLS from a connection's secrets (RFC 5705; RFC 8446 section 7.5). Thread-safe until disposed.</summary>
public sealed class KeyingMaterialExporter : IDisposable
{
    private readonly CipherSuiteInfo _suite;
    private readonly SecretBytes _secret;
    private readonly byte[] _clientRandom;
    private readonly byte[] _serverRandom;

    /// <summary>Copies what it needs: the session stays the caller's.</summary>
    public KeyingMaterialExporter(ExportedSession session)
    {
        _suite = CipherSuiteInfo.Get(session.CipherSuite);
        _secret = new SecretBytes((_suite.Version == TlsVersion.Tls13 ? session.ExporterSecret : session.ClientSecret).Span);
        _clientRandom = session.ClientRandom;
        _serverRandom = session.ServerRandom;
    }

    /// <summary>The exporter secret of TLS 1.3, for the session's next export.</summary>
    internal SecretBytes CopySecret() => new(_secret.Span);

    /// <summary>Exports without a context. In TLS 1.3 that is the same as an empty one, in TLS 1.2 it is not.</summary>
    /// <param name="label">An ASCII label of the IANA "TLS Exporter Labels" registry, or one that begins with "EXPERIMENTAL".</param>
    /// <param name="output">Filled; the caller wipes it.</param>
    /// <exception cref="ArgumentException">The label is one of TLS's own.</exception>
    /// <exception cref="InvalidOperationException">The handshake did not hand over an exporter secret.</exception>
    public void Export(string label, Span<byte> output) => Export(label, hasContext: false, [], output);

    /// <summary>Exports with a context, at most 65,535 bytes; see <see cref="Export(string, Span{byte})"/>.</summary>
    public void Export(string label, ReadOnlySpan<byte> context, Span<byte> output) => Export(label, hasContext: true, context, output);

    private void Export(string label, bool hasContext, ReadOnlySpan<byte> context, Span<byte> output)
    {
        if (label is "client finished" or "server finished" or "master secret" or "key expansion" || !Ascii.IsValid(label))
            throw new ArgumentException("Not a label for exporters (RFC 5705 section 4).", nameof(label));
        if (context.Length > ushort.MaxValue)
            throw new ArgumentException("A context has at most 65,535 bytes.", nameof(context));
        if (_secret.Length == 0)
            throw new InvalidOperationException("This session has no exporter secret.");

        if (_suite.Version == TlsVersion.Tls13)
            Export13(Encoding.ASCII.GetBytes(label), context, output);
        else
            Export12(Encoding.ASCII.GetBytes(label), hasContext, context, output);
    }

    /// <summary>RFC 8446 section 7.5.</summary>
    private void Export13(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        Span<byte> hash = stackalloc byte[_suite.HashLength];
        using var derived = new SecretBytes(_suite.HashLength);
        CryptographicOperations.HashData(_suite.Hash, [], hash);
        HkdfLabel.Expand(_suite.Hash, _secret.Span, label, hash, derived.Span);
        CryptographicOperations.HashData(_suite.Hash, context, hash);
        HkdfLabel.Expand(_suite.Hash, derived.Span, "exporter"u8, hash, output);
    }

    /// <summary>RFC 5705 section 4.</summary>
    private void Export12(ReadOnlySpan<byte> label, bool hasContext, ReadOnlySpan<byte> context, Span<byte> output)
    {
        var seed = new byte[hasContext ? 2 + context.Length : 0];
        if (hasContext)
        {
            BinaryPrimitives.WriteUInt16BigEndian(seed, (ushort)context.Length);
            context.CopyTo(seed.AsSpan(2));
        }

        Tls12Prf.Expand(_suite.Hash, _secret.Span, label, _clientRandom, _serverRandom, seed, output);
    }

    public void Dispose() => _secret.Dispose();
}
