using CSsl.Silo.Transport;
using Microsoft.AspNetCore.Http;

namespace CSsl.Silo.Proxy;

/// <summary>What the origin is told about the connection besides YARP's X-Forwarded headers. What a client says about it itself is thrown away.</summary>
internal static class OriginHeaders
{
    /// <summary>Name of the silo that decrypted the request.</summary>
    public const string Silo = "X-CSsl-Silo";

    /// <summary>TLS version and suite, such as "TLSv1.3 TLS_AES_128_GCM_SHA256".</summary>
    public const string Tls = "X-CSsl-Tls";

    // RFC 7239: another way to say what X-Forwarded says, which YARP writes only where it is configured; a client's would be believed.
    private const string Forwarded = "Forwarded";

    public static void Set(HttpContext context, IDecryptedConnectionFeature connection)
    {
        var headers = context.Request.Headers;
        headers.Remove(Forwarded);
        headers[Silo] = connection.SiloName;
        headers[Tls] = connection.TlsDescription;
    }
}
