using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace CSsl.Silo.Exchanges;

/// <summary>Says in a note what the header of a response promises: how long it is, and, where it may be, how to go on with it elsewhere.</summary>
internal static class ResponseDescriber
{
    // RFC 9110 section 8.8.2.2: a date is a strong validator only if nothing can have changed within the second it names, by clocks that may differ.
    private static readonly TimeSpan DateIsStrongAfter = TimeSpan.FromSeconds(60);

    /// <summary>Null when the response does not say how long it is.</summary>
    /// <param name="note">Which request, and where the head is.</param>
    /// <param name="method">The request's.</param>
    /// <param name="status">The response's status code.</param>
    /// <param name="headers">The response's header.</param>
    public static ExchangeNote? Describe(ExchangeNote note, string method, int status, IHeaderDictionary headers)
    {
        if (HttpMethods.IsHead(method) || status is StatusCodes.Status204NoContent or StatusCodes.Status304NotModified)
            return note with { BodyLength = 0 };
        if (headers.ContentLength is not { } length)
            return null;
        note = note with { BodyLength = length };
        return HttpMethods.IsGet(method) && length > 0 && TryLocate(status, headers, length, out var offset, out var total) && TryValidate(headers, out var kind, out var validator)
            ? note with { BodyOffset = offset, TotalLength = total, ValidatorKind = kind, Validator = validator }
            : note;
    }

    /// <summary>Where the body is in the representation.</summary>
    private static bool TryLocate(int status, IHeaderDictionary headers, long length, out long offset, out long total)
    {
        (offset, total) = (0, length);
        if (status == StatusCodes.Status200OK)
            return true;
        if (status != StatusCodes.Status206PartialContent || !TryReadRange(headers.ContentRange.ToString(), out offset, out var last, out total))
            return false;
        return last - offset == length - 1;
    }

    /// <summary>Content-Range with a range of bytes in it, such as "bytes 2-5/10". The total length is -1 for "*".</summary>
    internal static bool TryReadRange(string? header, out long first, out long last, out long total)
    {
        (first, last, total) = (0, 0, -1);
        if (!ContentRangeHeaderValue.TryParse(header, out var range) || !range.HasRange || !range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase))
            return false;
        (first, last, total) = (range.From.GetValueOrDefault(), range.To.GetValueOrDefault(), range.Length ?? -1);
        return true;
    }

    /// <summary>A validator that is as good as a comparison of the bytes (RFC 9110 section 13.1.5 lets no other into If-Range).</summary>
    private static bool TryValidate(IHeaderDictionary headers, out ValidatorKind kind, out string validator)
    {
        if (headers.AcceptRanges == "none")
        {
            (kind, validator) = (ValidatorKind.None, "");
            return false;
        }

        validator = headers.ETag.ToString();
        kind = ValidatorKind.ETag;
        if (EntityTagHeaderValue.TryParse(validator, out var tag) && !tag.IsWeak && Fits(validator))
            return true;
        if (validator.Length > 0)
            return false;

        validator = headers.LastModified.ToString();
        kind = ValidatorKind.LastModified;
        return HeaderUtilities.TryParseDate(validator, out var modified) && HeaderUtilities.TryParseDate(headers.Date.ToString(), out var now)
            && now - modified >= DateIsStrongAfter && Fits(validator);
    }

    private static bool Fits(string validator) => validator.Length <= ExchangeNote.MaxValidatorLength && System.Text.Ascii.IsValid(validator);
}
