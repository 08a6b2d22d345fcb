using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace CSsl.Cli.Origin;

/// <summary>The part of a representation that a request asks for.</summary>
/// <param name="From">Offset of the first byte.</param>
/// <param name="Length">Number of bytes.</param>
/// <param name="StatusCode">200 (the whole), 206 (a part), 304 (the client has it) or 416 (a part that is not there).</param>
internal readonly record struct ByteRange(long From, long Length, int StatusCode)
{
    /// <summary>Decides what to send of <paramref name="total"/> bytes: preconditions first, then Range and If-Range (RFC 9110 sections 13.2.2 and 14.2).</summary>
    public static ByteRange Select(HttpRequest request, long total, EntityTagHeaderValue etag)
    {
        var headers = request.GetTypedHeaders();
        if (headers.IfNoneMatch.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(etag, useStrongComparison: false)))
            return new ByteRange(0, 0, StatusCodes.Status304NotModified);

        // Several ranges at once may be ignored; so may a range that is no byte range. Range is defined for GET only.
        var whole = new ByteRange(0, total, StatusCodes.Status200OK);
        if (!HttpMethods.IsGet(request.Method) || headers.Range is not { } range || range.Unit != "bytes" || range.Ranges.Count != 1 || !IfRangeHolds(headers, etag))
            return whole;

        var (from, to) = (range.Ranges.Single().From, range.Ranges.Single().To);
        var unsatisfiable = new ByteRange(0, 0, StatusCodes.Status416RangeNotSatisfiable);
        if (from is null)
        {
            // "-500": the last 500 bytes.
            var suffix = Math.Min(to!.Value, total);
            return suffix == 0 ? unsatisfiable : new ByteRange(total - suffix, suffix, StatusCodes.Status206PartialContent);
        }

        if (from >= total)
            return unsatisfiable;

        var last = Math.Min(to ?? total - 1, total - 1);
        return new ByteRange(from.Value, last - from.Value + 1, StatusCodes.Status206PartialContent);
    }

    /// <summary>If-Range holds only for the same strong tag (RFC 9110 section 13.1.5); a date never does, since nothing here has one.</summary>
    private static bool IfRangeHolds(RequestHeaders headers, EntityTagHeaderValue etag)
    {
        if (headers.Headers.IfRange.Count == 0)
            return true;
        return headers.IfRange?.EntityTag is { } tag && tag.Compare(etag, useStrongComparison: true);
    }
}
