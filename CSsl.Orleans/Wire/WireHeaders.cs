using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>The HTTP headers of a message.</summary>
internal static class WireHeaders
{
    public const string Mac = "cssl-mac";
    private const string To = "cssl-to";
    private const string View = "cssl-view";
    private const string Time = "cssl-time";
    private const string Nonce = "cssl-nonce";

    public static void Write(HttpRequestHeaders headers, MessageHeader header, string mac)
    {
        headers.Add(To, header.To);
        headers.Add(View, header.View.ToString(CultureInfo.InvariantCulture));
        headers.Add(Time, header.Time.ToString(CultureInfo.InvariantCulture));
        headers.Add(Nonce, header.Nonce.ToString("N"));
        headers.Add(Mac, mac);
    }

    /// <summary>False when a header is missing or not of its form.</summary>
    public static bool TryRead(HttpRequest request, out MessageHeader header, out string mac)
    {
        var headers = request.Headers;
        mac = headers[Mac].ToString();
        var valid = long.TryParse(headers[View], NumberStyles.None, CultureInfo.InvariantCulture, out var view)
            & long.TryParse(headers[Time], NumberStyles.None, CultureInfo.InvariantCulture, out var time)
            & Guid.TryParseExact(headers[Nonce], "N", out var nonce);
        header = new MessageHeader(request.Path.Value ?? "", headers[To].ToString(), view, time, nonce);
        return valid && mac.Length > 0 && HttpMethods.IsPost(request.Method);
    }

    public static string? ReadMac(HttpResponseHeaders headers) => headers.TryGetValues(Mac, out var values) ? values.SingleOrDefault() : null;
}
