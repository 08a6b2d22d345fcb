using System.Globalization;
using System.Text;

namespace CSsl.Tests.Support;

/// <summary>An HTTP/1.1 response as a raw client printed it (Latin-1).</summary>
/// <param name="Status">Status code.</param>
/// <param name="Head">Status line and header fields.</param>
/// <param name="Body">The body, still in its transfer coding.</param>
internal sealed record HttpText(int Status, string Head, byte[] Body)
{
    /// <summary>SHA-256 of the body in lower-case hex.</summary>
    public string Sha256 => OriginContent.Sha256(Body);

    /// <exception cref="FormatException">It is no response.</exception>
    public static HttpText Parse(string text)
    {
        int start = text.IndexOf("HTTP/1.1 ", StringComparison.Ordinal);
        int end = start < 0 ? -1 : text.IndexOf("\r\n\r\n", start, StringComparison.Ordinal);
        if (end < 0)
            throw new FormatException($"no HTTP response in: {text[..Math.Min(text.Length, 2000)]}");

        string head = text[start..end];
        return new HttpText(int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture), head, Encoding.Latin1.GetBytes(text[(end + 4)..]));
    }
}
