using CSsl.Cli.Origin;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>A request as the origin got it.</summary>
/// <param name="Silo">The data silo that passed it on.</param>
/// <param name="Range">Its Range field; empty when it has none.</param>
internal sealed record Arrival(string Silo, string Range);

/// <summary>What says that a body is still the same one, and where it ends.</summary>
internal enum BodyKind
{
    /// <summary>A strong ETag and a length: another silo can ask for the rest.</summary>
    Tagged,

    /// <summary>A length, and no validator.</summary>
    Untagged,

    /// <summary>No length: the last chunk ends it.</summary>
    Chunked,
}

/// <summary>What the origin does at one path: it begins, and goes on when it is released.</summary>
internal sealed class Scene
{
    /// <summary>Bytes of all events.</summary>
    public static readonly int EventsLength = FirstEvent.Length + LastEvent.Length;

    private const string FirstEvent = "data: first\n\n", LastEvent = "data: last\n\n";
    private const int ChunkBytes = 16 * 1024;

    private readonly Func<Scene, HttpContext, Task> _serve;
    private readonly List<Arrival> _arrivals = [];
    private readonly TaskCompletionSource<Arrival> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Arrival> _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Scene(Func<Scene, HttpContext, Task> serve) => _serve = serve;

    /// <summary>Completes when it was asked.</summary>
    public Task<Arrival> First => _first.Task;

    /// <summary>Completes when it was asked again.</summary>
    public Task<Arrival> Second => _second.Task;

    /// <summary>Completes when it has read a whole request that it does not answer yet.</summary>
    public Task IsHeld => _held.Task;

    /// <summary>Every request so far.</summary>
    public IReadOnlyList<Arrival> Arrivals
    {
        get
        {
            lock (_arrivals)
                return [.. _arrivals];
        }
    }

    /// <summary>Says at once who passed the request on.</summary>
    public static Scene Page() => new(static (_, context) => context.Response.WriteAsync($"by {Silo(context)}\n"));

    /// <summary>Reads the request, and answers only when it is released.</summary>
    public static Scene Held() => new(static async (scene, context) =>
    {
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        scene._held.TrySetResult();
        await scene._released.Task.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("done\n");
    });

    /// <summary>Sends half of a body at once, the rest when it is released.</summary>
    public static Scene Body(BodyKind kind, long length) => new((scene, context) => scene.SendAsync(context, kind, length));

    /// <summary>Sends an event at once, another one when it is released, and ends.</summary>
    public static Scene Events() => new(static async (scene, context) =>
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(FirstEvent, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await scene._released.Task.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync(LastEvent, context.RequestAborted);
    });

    /// <summary>A WebSocket that sends every message back.</summary>
    public static Scene WebSocket() => new(static (_, context) => WebSocketEndpoint.EchoAsync(context));

    /// <summary>Lets it go on, now and whenever it is asked again.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Serves a request.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        Arrival arrival = new(Silo(context), context.Request.Headers.Range.ToString());
        lock (_arrivals)
            _arrivals.Add(arrival);
        if (!_first.TrySetResult(arrival))
            _second.TrySetResult(arrival);
        await _serve(this, context);
    }

    private async Task SendAsync(HttpContext context, BodyKind kind, long length)
    {
        var part = new ByteRange(0, length, StatusCodes.Status200OK);
        if (kind == BodyKind.Tagged)
        {
            var tag = new EntityTagHeaderValue($"\"{length}\"");
            part = ByteRange.Select(context.Request, length, tag);
            context.Response.Headers.ETag = tag.ToString();
        }

        context.Response.StatusCode = part.StatusCode;
        if (part.StatusCode == StatusCodes.Status206PartialContent)
            context.Response.Headers.ContentRange = $"bytes {part.From}-{part.From + part.Length - 1}/{length}";
        if (kind != BodyKind.Chunked)
            context.Response.ContentLength = part.Length;

        for (long at = part.From, end = part.From + part.Length; at < end;)
        {
            if (at >= length / 2)
                await _released.Task.WaitAsync(context.RequestAborted);
            int size = (int)Math.Min(ChunkBytes, (at < length / 2 ? length / 2 : end) - at);
            SampleBytes.Fill(at, context.Response.BodyWriter.GetSpan(size)[..size]);
            context.Response.BodyWriter.Advance(size);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            at += size;
        }
    }

    private static string Silo(HttpContext context) => context.Request.Headers[HomePage.SiloHeader].ToString();
}
