using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CSsl.Cli.Origin;

/// <summary><c>/echo</c> and <c>/sink</c>: bodies of requests, of any size, without holding them.</summary>
internal static class UploadEndpoints
{
    /// <summary>Sends the request's body back as it comes.</summary>
    public static Task EchoAsync(HttpContext context)
    {
        // HTTP/1.1 clients that first send everything and then read would deadlock on a big body; that is theirs to know.
        context.Response.ContentType = context.Request.ContentType ?? "application/octet-stream";
        context.Response.ContentLength = context.Request.ContentLength;
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        return context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
    }

    /// <summary>Counts the request's body: answers its length and SHA-256.</summary>
    public static async Task SinkAsync(HttpContext context)
    {
        var length = 0L;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            foreach (var segment in read.Buffer)
                hash.AppendData(segment.Span);
            length += read.Buffer.Length;
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }

        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{length} {Convert.ToHexStringLower(hash.GetHashAndReset())}\n"));
    }
}
