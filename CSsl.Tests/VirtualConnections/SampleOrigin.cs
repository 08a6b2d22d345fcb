using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace CSsl.Tests.VirtualConnections;

/// <summary>Answers <see cref="SampleRequest"/>s, and notes what must not happen: a POST that comes twice, an upload that is not what the client sent.</summary>
internal sealed class SampleOrigin
{
    private readonly ConcurrentDictionary<long, int> _times = new();

    public ConcurrentQueue<string> Faults { get; } = new();

    public async Task ServeAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var sample = SampleRequest.Parse(request.Method, request.Path.Value!);
        var time = _times.AddOrUpdate(sample.Id, 1, static (_, times) => times + 1);
        if (!sample.IsIdempotent && time > 1)
            Faults.Enqueue($"POST {sample.Path} came twice");
        if (sample.Upload > 0 && !await IsWholeAsync(request, sample))
            return;

        response.Headers.Date = SampleRequest.Date;
        response.Headers["X-Id"] = sample.Id.ToString(CultureInfo.InvariantCulture);
        var body = sample.Body;
        if (sample.Content == SampleContent.Validated)
        {
            response.Headers.ETag = SampleRequest.ETag;
            if (request.Headers.Range.ToString() is { Length: > 0 } range && request.Headers.IfRange == SampleRequest.ETag)
            {
                var parts = range["bytes=".Length..].Split('-');
                var (first, last) = (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
                response.StatusCode = StatusCodes.Status206PartialContent;
                response.Headers.ContentRange = $"bytes {first}-{last}/{sample.Length}";
                body = body[first..(last + 1)];
            }
        }

        if (sample.Content != SampleContent.Chunked)
            response.ContentLength = body.Length;
        if (request.Method == "HEAD")
            return;

        // In pieces, so that there are many frames to lose a silo between; of a size that differs from one time to the next.
        var piece = new Random(unchecked((int)((sample.Id * 31) + time))).Next(2_000, 40_000);
        for (var at = 0; at < body.Length && !context.RequestAborted.IsCancellationRequested; at += piece)
            await response.Body.WriteAsync(body.Slice(at, Math.Min(piece, body.Length - at)));
    }

    private async Task<bool> IsWholeAsync(HttpRequest request, SampleRequest sample)
    {
        using var upload = new MemoryStream();
        try
        {
            await request.Body.CopyToAsync(upload);
        }
        catch (Exception e) when (e is IOException or BadHttpRequestException or OperationCanceledException)
        {
            // The silo was lost with it.
            return false;
        }

        if (upload.GetBuffer().AsSpan(0, (int)upload.Length).SequenceEqual(sample.UploadBody.Span))
            return true;
        Faults.Enqueue($"{sample.Method} {sample.Path} came with another body of {upload.Length} bytes");
        return false;
    }
}
