using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CSsl.Cli.Certificates;
using CSsl.Cli.Up;
using CSsl.Hosting;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl certs</c>: the development certificates of a state folder.</summary>
internal static class CertsCommand
{
    public static Command Create()
    {
        var state = CommonOptions.State();
        var renew = new Option<bool>("--renew") { Description = "Make new leaf certificates; the CA stays." };
        var command = new Command("certs", "Shows the development certificates, makes them when they are missing, and tells how to trust their CA.") { state, renew };
        command.SetAction(result => Run(result.GetValue(state)!, result.GetValue(renew)));
        return command;
    }

    private static int Run(string state, bool renew)
    {
        var folder = StateFolder.Create(state);
        var certificates = folder.Certificates;
        if (certificates.Ensure(renew))
            Console.WriteLine($"made certificates in {folder.Path}\n");

        Show("CA", certificates.AuthorityCertificate);
        Show("RSA", certificates.RsaCertificate);
        Show("ECDSA", certificates.EcdsaCertificate);
        Console.WriteLine($"""
            The leaves are for {string.Join(", ", DevelopmentCertificates.HostNames)}, {string.Join(", ", DevelopmentCertificates.Addresses)}. To trust the CA:
              curl      curl --cacert {certificates.AuthorityCertificate} https://localhost:8443/
              Debian    cp {certificates.AuthorityCertificate} /usr/local/share/ca-certificates/cssl-development.crt && update-ca-certificates
              Fedora    cp {certificates.AuthorityCertificate} /etc/pki/ca-trust/source/anchors/ && update-ca-trust
              Node.js   NODE_EXTRA_CA_CERTS={certificates.AuthorityCertificate} node …
              Java      keytool -importcert -cacerts -alias cssl-development -file {certificates.AuthorityCertificate}
              Firefox   Settings, Certificates, Authorities, Import
              Chromium  Settings, Privacy and security, Security, Manage certificates, Authorities, Import
            Whoever has ca.key can sign for any name: trust this CA on development machines only.
            """);
        return ExitCodes.Success;
    }

    private static void Show(string kind, string path)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
        var expires = certificate.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        Console.WriteLine($"{kind,-5}  {path}\n       {certificate.Subject}, until {expires}\n       SHA-256 {certificate.GetCertHashString(HashAlgorithmName.SHA256)}\n");
    }
}
