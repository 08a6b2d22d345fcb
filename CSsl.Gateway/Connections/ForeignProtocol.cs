using System.Buffers;
using System.Text;

namespace CSsl.Gateway.Connections;

/// <summary>Clients that don't speak TLS: which of them get an answer that they understand.</summary>
internal static class ForeignProtocol
{
    private const int LoggedOctets = 16;

    private const string HttpBody = "This port speaks HTTPS: the request came without TLS.\n";

    private static readonly string[] Methods = ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PRI "];

    /// <summary>What a client gets that speaks HTTP on the TLS port.</summary>
    public static ReadOnlyMemory<byte> HttpAnswer { get; } = Encoding.ASCII.GetBytes(
        $"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {HttpBody.Length}\r\nConnection: close\r\n\r\n{HttpBody}");

    /// <summary>True when the input starts with an HTTP method; null when it could still become one.</summary>
    public static bool? IsHttp(in ReadOnlySequence<byte> input)
    {
        Span<byte> start = stackalloc byte[8];
        start = start[..(int)Math.Min(start.Length, input.Length)];
        input.Slice(0, start.Length).CopyTo(start);
        bool? answer = false;
        foreach (var method in Methods)
        {
            var common = Math.Min(method.Length, start.Length);
            if (!Ascii.Equals(start[..common], method.AsSpan(0, common)))
                continue;
            if (common == method.Length)
                return true;
            answer = null;
        }

        return answer;
    }

    /// <summary>The first octets, for the log.</summary>
    public static string FirstOctets(in ReadOnlySequence<byte> input)
        => "first octets " + Convert.ToHexString(input.Slice(0, Math.Min(LoggedOctets, input.Length)).ToArray());
}
