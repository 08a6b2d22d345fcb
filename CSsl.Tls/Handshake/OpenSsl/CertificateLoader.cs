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

            return new CertificateInfo(files.CertificatePath, leaf.Subject, algorithm, leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime());
        }
        finally
        {
            foreach (var certificate in chain)
                certificate.Dispose();
        }
    }

    private static X509Certificate2Collection ReadChain(string path)
    {
        using var file = ReadFile(path);
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

        return chain.Count switch
        {
            0 => throw new CertificateException(path, "not a PEM certificate: there is no BEGIN CERTIFICATE line"),
            > MaxChainLength => throw new CertificateException(path, $"there are {chain.Count} certificates in it; the leaf and its chain are at most {MaxChainLength}"),
            _ => chain,
        };
    }

    private static SafePrivateKeyHandle ReadKey(string path)
    {
        using var file = ReadFile(path);
        ReadOnlySpan<byte> pem = file.Span;
        if (pem.IndexOf("PRIVATE KEY-----"u8) < 0)
            throw new CertificateException(path, "not a PEM private key: there is no BEGIN ... PRIVATE KEY line");
        if (pem.IndexOf("BEGIN ENCRYPTED PRIVATE KEY"u8) >= 0 || pem.IndexOf("Proc-Type: 4,ENCRYPTED"u8) >= 0)
            throw new CertificateException(path, "the private key is encrypted; it must be stored without a password, readable by silos only");

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
            var offset = 0;
            while (offset < content.Length && RandomAccess.Read(handle, content.Span[offset..], offset) is > 0 and var read)
                offset += read;
            return content;
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
