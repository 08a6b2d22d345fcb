using CSsl.Silo.Transport;
using Microsoft.AspNetCore.Http;

namespace CSsl.Silo.Exchanges;

/// <summary>
/// In front of everything that serves the requests of decrypted connections: tells an HTTP/1.1 connection of its exchanges, and carries out what was judged of
/// a request that an earlier silo had seen. HTTP/2 connections are neither counted nor taken over.
/// </summary>
internal sealed class ExchangeMiddleware(RequestDelegate next, DataMetrics metrics)
{
    private const string LostReason = "502 Bad Gateway: the server that had this request was lost, and the request may not be done twice\n";

    public Task InvokeAsync(HttpContext context)
        => context.Features.Get<HttpExchanges>() is { } exchanges ? ServeAsync(context, exchanges) : next(context);

    private async Task ServeAsync(HttpContext context, HttpExchanges exchanges)
    {
        while (exchanges.TryEnter() is { } handOver)
            await handOver.WaitAsync(context.RequestAborted);
        var verdict = exchanges.Begin(context);
        try
        {
            await (verdict == Verdict.Serve ? next(context) : CarryOutAsync(verdict, context, exchanges));
        }
        finally
        {
            exchanges.End(context);
        }
    }

    private Task CarryOutAsync(Verdict verdict, HttpContext context, HttpExchanges exchanges)
    {
        switch (verdict)
        {
            case Verdict.Replay:
                metrics.CountReplayed();
                return next(context);
            case Verdict.Skip:
                metrics.CountPassedOver();
                context.Response.ContentLength = 0;
                return Task.CompletedTask;
            case Verdict.Resume:
                return ResumeAsync(context, exchanges.NewResumption());
            case Verdict.Refuse:
                metrics.CountRefused();
                return RefuseAsync(context.Response, context.RequestAborted);
            case Verdict.EndInOrder:
                context.Response.Headers.Connection = "close";
                return Task.CompletedTask;
            default:
                context.Abort();
                return Task.CompletedTask;
        }
    }

    // Whatever answers instead of the rest of the body must not reach the client: the gate sees to that, and then there is nothing to go on with.
    private async Task ResumeAsync(HttpContext context, Resumption resumption)
    {
        context.Features.Set(resumption);
        await next(context);
        if (!resumption.IsUnderWay)
            context.Abort();
    }

    private static Task RefuseAsync(HttpResponse response, CancellationToken aborted)
    {
        response.StatusCode = StatusCodes.Status502BadGateway;
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = LostReason.Length;
        return response.WriteAsync(LostReason, aborted);
    }
}
