using System.Text;
using CSsl.Tests.Tls.Records;

namespace CSsl.Tests.VirtualConnections;

/// <summary>How a response says how long it is, and whether a part of it can be had later.</summary>
internal enum SampleContent
{
    /// <summary>A length and a strong ETag.</summary>
    Validated,

    /// <summary>A length, and nothing to know it by.</summary>
    Unvalidated,

    /// <summary>Neither: its end is known when it is there.</summary>
    Chunked,
}

/// <summary>A request, and the one true response to it.</summary>
/// <param name="Id">No two requests of a test have the same.</param>
/// <param name="Method">HTTP's.</param>
/// <param name="Content">Of the response.</param>
/// <param name="Length">Of the response's body, in bytes.</param>
/// <param name="Upload">Length of the request's.</param>
internal sealed record SampleRequest(long Id, string Method, SampleContent Content, int Length, int Upload)
{
    public const string ETag = "\"v1\"";
    public const string Date = "Sun, 22 Nov 2026 10:00:00 GMT";

    private static readonly byte[] Noise = TestSessions.Bytes(1 << 20, 17);

    /// <summary>What the origin finds it by.</summary>
    public string Path => $"/{Id}/{Content}/{Length}/{Upload}";

    public ReadOnlyMemory<byte> Body => Noise.AsMemory((int)(Id % 9973), Length);

    public ReadOnlyMemory<byte> UploadBody => Noise.AsMemory((int)(Id % 7919), Upload);

    /// <summary>May be done twice.</summary>
    public bool IsIdempotent => Method != "POST";

    /// <summary>Longer than what a gateway keeps.</summary>
    public bool IsLong => Upload > 200_000;

    /// <summary>As it goes to the client.</summary>
    public string Head => $"HTTP/1.1 200 OK\r\n{(Content == SampleContent.Chunked ? "" : $"Content-Length: {Length}\r\n")}Date: {Date}\r\nServer: Kestrel\r\n"
        + $"{(Content == SampleContent.Validated ? $"ETag: {ETag}\r\n" : "")}{(Content == SampleContent.Chunked && Method != "HEAD" ? "Transfer-Encoding: chunked\r\n" : "")}X-Id: {Id}\r\n\r\n";

    public override string ToString() => $"{Method} {Path}";

    public byte[] Encode()
        => [.. Encoding.ASCII.GetBytes($"{Method} {Path} HTTP/1.1\r\nHost: localhost\r\n{(Method is "PUT" or "POST" ? $"Content-Length: {Upload}\r\n" : "")}\r\n"), .. UploadBody.Span];

    public static SampleRequest Parse(string method, string path)
    {
        var parts = path.Split('/');
        return new SampleRequest(long.Parse(parts[1]), method, Enum.Parse<SampleContent>(parts[2]), int.Parse(parts[3]), int.Parse(parts[4]));
    }
}
