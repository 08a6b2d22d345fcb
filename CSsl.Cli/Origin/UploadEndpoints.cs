using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace CSsl.Cli.Origin;

/// <summary><c>/echo</c> and <c>/sink</c>: bodies of requests, of any size, without holding them.</summary>
internal static class UploadEndpoints
{
    private static readonly FileStreamOptions Spool = new() { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous };

    /// <summary>Sends the request's body back: when it is all there, or with <c>stream=true</c> as it comes.</summary>
    /// <remarks>Streaming needs a client that reads while it writes. .NET's HttpClient, and so YARP, does that over HTTP/2 only: over HTTP/1.1 it
    /// would stand still once the sockets' buffers are full of what it does not read yet.</remarks>
    public static async Task EchoAsync(HttpContext context, bool stream = false)
    {
        var (request, response) = (context.Request, context.Response);
        response.ContentType = request.ContentType ?? "application/octet-stream";
        if (stream)
        {
            response.ContentLength = request.ContentLength;
            await request.BodyReader.CopyToAsync(response.BodyWriter, context.RequestAborted);
            return;
        }

        await using var spool = new FileStream(Path.GetTempFileName(), Spool);
        await request.Body.CopyToAsync(spool, context.RequestAborted);
        response.ContentLength = spool.Length;
        spool.Position = 0;
        await spool.CopyToAsync(response.Body, context.RequestAborted);
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
