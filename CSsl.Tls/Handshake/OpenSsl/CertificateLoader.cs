using System.Formats.Asn1;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>Loads certificates and keys from PEM files into a context, and says clearly what is wrong with a file.</summary>
internal static unsafe class CertificateLoader
{
    private const string RsaOid = "1.2.840.113549.1.1.1";
    private const string EcOid = "1.2.840.10045.2.1";

    /// <summary>The curves whose certificates clients take: those of RFC 8446 section 4.2.3.</summary>
    private static readonly string[] Curves = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

    private const int MaxChainLength = 10;
    private const int MaxFileLength = 256 * 1024;

    /// <summary>Loads one identity. A context takes one of each key type.</summary>
    /// <param name="context">Takes certificate, chain and key.</param>
    /// <param name="files">Where they are.</param>
    /// <param name="fingerprint">Gets the leaf.</param>
    /// <exception cref="CertificateException">One of the files can't be used.</exception>
    public static CertificateInfo Load(SafeSslContextHandle context, CertificateFiles files, IncrementalHash fingerprint)
    {
        var chain = ReadChain(files.CertificatePath);
        try
        {
            var leaf = chain[0];
            var algorithm = leaf.GetKeyAlgorithm() switch
            {
                RsaOid => "RSA",
                EcOid => "EC",
                var other => throw new CertificateException(files.CertificatePath, $"its key is neither RSA nor EC (algorithm {other})"),
            };
            if (algorithm == "EC")
                RequireUsualCurve(leaf, files.CertificatePath);
            fingerprint.AppendData(leaf.RawDataMemory.Span);

            using var key = ReadKey(files.KeyPath);
            using var certificate = ToX509(leaf, files.CertificatePath);
            LibCrypto.ERR_clear_error();
            if (LibCrypto.X509_check_private_key(certificate, key) != 1)
                throw new CertificateException(files.KeyPath, $"the key does not belong to the certificate {files.CertificatePath}");
            if (LibSsl.SSL_CTX_use_certificate(context, certificate) != 1)
                throw new CertificateException(files.CertificatePath, $"OpenSSL refuses the certificate: {OpenSslError.Take()}");
            foreach (var issuer in chain.Skip(1))
                AddIssuer(context, issuer, files.CertificatePath);
            if (LibSsl.SSL_CTX_use_PrivateKey(context, key) != 1)
                throw new CertificateException(files.KeyPath, $"OpenSSL refuses the key: {OpenSslError.Take()}");

            return new CertificateInfo(files.CertificatePath, leaf.Subject, algorithm, leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime(), DnsNamesOf(leaf));
        }
        finally
        {
            foreach (var certificate in chain)
                certificate.Dispose();
        }
    }

    private static void RequireUsualCurve(X509Certificate2 leaf, string path)
    {
        string? curve = null;
        try
        {
            curve = AsnDecoder.ReadObjectIdentifier(leaf.GetKeyAlgorithmParameters(), AsnEncodingRules.DER, out _);
        }
        catch (AsnContentException)
        {
            // Parameters in place of a name: no client takes those either.
        }

        if (!Curves.Contains(curve))
            throw new CertificateException(path, $"its key is on the curve {(curve is null ? "of its own parameters" : new Oid(curve).FriendlyName ?? curve)}, which no client takes; P-256, P-384 and P-521 are taken");
    }

    private static string[] DnsNamesOf(X509Certificate2 leaf)
        => [.. leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(static extension => extension.EnumerateDnsNames())];

    private static X509Certificate2Collection ReadChain(string path)
    {
        using var file = ReadFile(path);
        RequireWhole(path, file.Span);
        var text = GC.AllocateArray<char>(file.Length, pinned: true);
        Encoding.ASCII.GetChars(file.Span, text);
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(text);
        }
        catch (CryptographicException exception)
        {
            throw new CertificateException(path, "a certificate in it is malformed", exception);
        }
        finally
        {
            // Certificate and key may be one file.
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(text.AsSpan()));
        }

        // What is no PEM is text between PEM to the parser: it would take the second certificate for the leaf.
        var begun = file.Span.Count("-----BEGIN CERTIFICATE-----"u8);
        if (chain.Count < begun)
            throw new CertificateException(path, $"a certificate in it is malformed: {begun} begin, {chain.Count} can be read (other text in a BEGIN or END line, or no base64 between them)");

        return chain.Count switch
        {
            0 => throw new CertificateException(path, "not a PEM certificate: there is no BEGIN CERTIFICATE line"),
            > MaxChainLength => throw new CertificateException(path, $"there are {chain.Count} certificates in it; the leaf and its chain are at most {MaxChainLength}"),
            _ => chain,
        };
    }

    private static SafeKeyHandle ReadKey(string path)
    {
        using var file = ReadFile(path);
        ReadOnlySpan<byte> pem = file.Span;
        if (pem.IndexOf("PRIVATE KEY-----"u8) < 0)
            throw new CertificateException(path, "not a PEM private key: there is no BEGIN ... PRIVATE KEY line");
        if (pem.IndexOf("BEGIN ENCRYPTED PRIVATE KEY"u8) >= 0 || pem.IndexOf("Proc-Type: 4,ENCRYPTED"u8) >= 0)
            throw new CertificateException(path, "the private key is encrypted; it must be stored without a password, readable by silos only");

        RequireWhole(path, pem);

        LibCrypto.ERR_clear_error();
        fixed (byte* data = pem)
        {
            var bio = LibCrypto.BIO_new_mem_buf(data, pem.Length);
            if (bio == 0)
                throw OpenSslError.ToException("BIO_new_mem_buf");

            var key = LibCrypto.PEM_read_bio_PrivateKey(bio, 0, &HandshakeCallbacks.RefusePassword, 0);
            _ = LibCrypto.BIO_free(bio);
            if (!key.IsInvalid)
                return key;
            key.Dispose();
            throw new CertificateException(path, $"the private key is malformed ({OpenSslError.Take()})");
        }
    }

    /// <summary>Each BEGIN line has its END line: what a copy that was cut short, or a full disk, leaves has not.</summary>
    private static void RequireWhole(string path, ReadOnlySpan<byte> pem)
    {
        var ended = 0;
        for (var rest = pem; rest.IndexOf("-----END "u8) is >= 0 and var at;)
        {
            rest = rest[(at + "-----END "u8.Length)..];
            var lineEnd = rest.IndexOfAny((byte)'\r', (byte)'\n');
            ended += (lineEnd < 0 ? rest : rest[..lineEnd]).IndexOf("-----"u8) >= 0 ? 1 : 0;
        }

        if (ended < pem.Count("-----BEGIN "u8))
            throw new CertificateException(path, "the file is cut: what begins in it does not end");
    }

    private static void RequireText(string path, ReadOnlySpan<byte> content)
    {
        if (content.StartsWith("\uFEFF"u8))
            throw new CertificateException(path, "it begins with a byte order mark, which hides its first line: save it as plain ASCII");
        if (content.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || content.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
            throw new CertificateException(path, "it is UTF-16 text: save it as plain ASCII");
    }

    /// <summary>The file in pinned memory that is wiped on dispose, for it may hold a key.</summary>
    private static SecretBytes ReadFile(string path)
    {
        try
        {
            using var handle = File.OpenHandle(path);
            var length = RandomAccess.GetLength(handle);
            if (length > MaxFileLength)
                throw new CertificateException(path, $"longer than {MaxFileLength} bytes: no PEM file that belongs here");

            var content = new SecretBytes((int)length);
            try
            {
                var offset = 0;
                while (offset < content.Length && RandomAccess.Read(handle, content.Span[offset..], offset) is > 0 and var read)
                    offset += read;
                RequireText(path, content.Span);
                return content;
            }
            catch
            {
                content.Dispose();
                throw;
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CertificateException(path, "there is no such file", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new CertificateException(path, "may not be read by this user, or is a directory", exception);
        }
        catch (IOException exception)
        {
            throw new CertificateException(path, $"can't be read: {exception.Message}", exception);
        }
    }

    private static void AddIssuer(SafeSslContextHandle context, X509Certificate2 issuer, string path)
    {
        using var certificate = ToX509(issuer, path);

        // larg 1: OpenSSL takes a reference of its own (SSL_CTX_add1_chain_cert).
        if (LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlChainCert, 1, (void*)certificate.DangerousGetHandle()) != 1)
            throw new CertificateException(path, $"OpenSSL refuses a certificate of the chain ({issuer.Subject}): {OpenSslError.Take()}");
    }

    private static SafeX509Handle ToX509(X509Certificate2 certificate, string path)
    {
        LibCrypto.ERR_clear_error();
        fixed (byte* der = certificate.RawDataMemory.Span)
        {
            var position = der;
            var x509 = LibCrypto.d2i_X509(0, &position, certificate.RawDataMemory.Length);
            if (!x509.IsInvalid)
                return x509;
            x509.Dispose();
            throw new CertificateException(path, $"a certificate in it is malformed ({OpenSslError.Take()})");
        }
    }
}
