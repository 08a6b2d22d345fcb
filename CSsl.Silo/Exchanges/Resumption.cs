using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace CSsl.Silo.Exchanges;

/// <summary>The rest of a body that a client has the beginning of: what to ask the origin for, and whether it is what it answers.</summary>
/// <param name="Note">What the response was.</param>
/// <param name="Delivered">Where the client stands.</param>
internal sealed record Resumption(ExchangeNote Note, long Delivered)
{
    /// <summary>First byte of the representation that the client has not got.</summary>
    public long First => Note.BodyOffset + Delivered - Note.HeadEnd;

    /// <summary>The last one that it was promised.</summary>
    public long Last => Note.BodyOffset + Note.BodyLength - 1;

    public long Length => Last - First + 1;

    /// <summary>True once the origin's answer has been found to fit.</summary>
    public bool IsUnderWay { get; set; }

    /// <summary>Makes a request one for the rest. Other conditions than If-Range would bring other answers than a part.</summary>
    public void Apply(HttpRequestHeaders headers)
    {
        headers.Remove("If-Match");
        headers.Remove("If-None-Match");
        headers.Remove("If-Modified-Since");
        headers.Remove("If-Unmodified-Since");
        headers.Remove("If-Range");
        headers.Remove("Range");
        headers.TryAddWithoutValidation("If-Range", Note.Validator);
        headers.TryAddWithoutValidation("Range", string.Create(CultureInfo.InvariantCulture, $"bytes={First}-{Last}"));
    }

    /// <summary>True when an answer is that part of that representation, and nothing else.</summary>
    public bool Fits(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.PartialContent || Value(response.Content.Headers, "Content-Range") is not { } range)
            return false;
        if (!ResponseDescriber.TryReadRange(range, out var first, out var last, out var total) || first != First || last != Last)
            return false;
        if (total >= 0 && Note.TotalLength >= 0 && total != Note.TotalLength)
            return false;
        if (response.Content.Headers.ContentLength is { } length && length != Length)
            return false;
        return Note.Validator == (Note.ValidatorKind == ValidatorKind.ETag ? Value(response.Headers, "ETag") : Value(response.Content.Headers, "Last-Modified"));
    }

    // As it stands on the wire.
    private static string? Value(HttpHeaders headers, string name)
        => headers.NonValidated.TryGetValues(name, out var values) && values.Count == 1 ? values.ToString() : null;
}
