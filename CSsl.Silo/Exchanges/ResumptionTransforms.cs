using CSsl.Silo.Transport;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace CSsl.Silo.Exchanges;

/// <summary>Makes YARP ask the origin for the rest of a body, and looks at the answer before a byte of it is passed on.</summary>
internal sealed class ResumptionTransforms(DataMetrics metrics) : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context)
    {
        context.AddRequestTransform(OnRequest);
        context.AddResponseTransform(OnResponse);
    }

    private static ValueTask OnRequest(RequestTransformContext context)
    {
        context.HttpContext.Features.Get<Resumption>()?.Apply(context.ProxyRequest.Headers);
        return ValueTask.CompletedTask;
    }

    private ValueTask OnResponse(ResponseTransformContext context)
    {
        if (context.HttpContext.Features.Get<Resumption>() is { } resumption)
            Judge(context, resumption);
        return ValueTask.CompletedTask;
    }

    private void Judge(ResponseTransformContext context, Resumption resumption)
    {
        var response = context.HttpContext.Response;
        if (context.ProxyResponse is { } answer && resumption.Fits(answer))
        {
            // The body goes on as it began: by its length.
            response.ContentLength = resumption.Length;
            response.Headers.Remove("Transfer-Encoding");
            resumption.IsUnderWay = true;
            metrics.CountResumed();
            context.HttpContext.Features.GetRequiredFeature<HttpExchanges>().BeginRest();
        }
        else
        {
            context.SuppressResponseBody = true;
        }
    }
}
