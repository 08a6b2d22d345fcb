using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace CSsl.Cli.Origin;

/// <summary><c>/bytes/{n}</c>: n bytes that are always the same, made as they are sent; with a strong ETag and ranges, so that a download can be resumed.</summary>
internal static class BytesEndpoint
{
    private const int ChunkBytes = 32 * 1024;

    public static async Task ServeAsync(HttpContext context, long length)
    {
        var response = context.Response;
        if (length < 0)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var etag = new EntityTagHeaderValue($"\"bytes-{length}\"");
        var part = ByteRange.Select(context.Request, length, etag);
        response.StatusCode = part.StatusCode;
        response.Headers.ETag = etag.ToString();
        response.Headers.AcceptRanges = "bytes";
        response.Headers.CacheControl = "no-store";
        if (part.StatusCode == StatusCodes.Status304NotModified)
            return;

        response.ContentType = "application/octet-stream";
        response.ContentLength = part.Length;
        if (part.StatusCode == StatusCodes.Status416RangeNotSatisfiable)
            response.Headers.ContentRange = $"bytes */{length}";
        if (part.StatusCode == StatusCodes.Status206PartialContent)
            response.Headers.ContentRange = $"bytes {part.From}-{part.From + part.Length - 1}/{length}";
        if (!HttpMethods.IsHead(context.Request.Method))
            await WriteAsync(response.BodyWriter, part.From, part.Length, context.RequestAborted);
    }

    /// <summary>Writes a part of the sequence; holds one chunk of it at a time.</summary>
    public static async Task WriteAsync(PipeWriter writer, long offset, long length, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            var chunk = (int)Math.Min(length, ChunkBytes);
            SampleBytes.Fill(offset, writer.GetSpan(chunk)[..chunk]);
            writer.Advance(chunk);
            var flushed = await writer.FlushAsync(cancellationToken);
            if (flushed.IsCompleted)
                return;
            offset += chunk;
            length -= chunk;
        }
    }
}
