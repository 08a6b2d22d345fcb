using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace CSsl.Silo.Exchanges;

/// <summary>Tells whether a request that comes again is the one that a note is about: the first half of SHA-256 over method, target and host.</summary>
internal static class RequestHash
{
    // Longer targets are hashed on the heap.
    private const int StackLength = 512;

    public static UInt128 Of(IHttpRequestFeature request)
    {
        var host = request.Headers.Host.ToString();
        var length = Encoding.UTF8.GetMaxByteCount(request.Method.Length + request.RawTarget.Length + host.Length) + 2;
        var text = length <= StackLength ? stackalloc byte[StackLength] : new byte[length];
        var written = Encoding.UTF8.GetBytes(request.Method, text);
        text[written++] = (byte)' ';
        written += Encoding.UTF8.GetBytes(request.RawTarget, text[written..]);
        text[written++] = (byte)' ';
        written += Encoding.UTF8.GetBytes(host, text[written..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..written], hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
