using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;

namespace CSsl.Cli.Origin;

/// <summary><c>/</c>: a page that says who served it. The data silo tells in headers of the request that it forwards.</summary>
internal static class HomePage
{
    /// <summary>Name of the data silo that forwarded the request.</summary>
    public const string SiloHeader = "X-CSsl-Silo";

    /// <summary>TLS version and cipher suite of the client's connection.</summary>
    public const string TlsHeader = "X-CSsl-Tls";

    public static Task ServeAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync($$"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>C-SSL</title>
            <style>
            body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; padding: 0 1rem; color: #1d2430; background: #fbfbf8 }
            dt { float: left; clear: left; width: 7rem; color: #667 } dd { margin-left: 7rem } code { background: #eef; padding: 0 .3em }
            @media (prefers-color-scheme: dark) { body { color: #dde; background: #14171c } code { background: #223 } a { color: #8bf } }
            </style>
            </head>
            <body>
            <h1>It works.</h1>
            <p>This is the sample origin of C-SSL. Your TLS connection ended in the cluster; this page came over plain HTTP.</p>
            <dl>
            <dt>Data silo</dt><dd id="silo">{{Header(context, SiloHeader)}}</dd>
            <dt>TLS</dt><dd id="tls">{{Header(context, TlsHeader)}}</dd>
            <dt>You</dt><dd id="client">{{Header(context, "X-Forwarded-For")}}</dd>
            </dl>
            <p>More: <a href="/bytes/1048576"><code>/bytes/{n}</code></a> <code>POST /echo</code> <code>POST /sink</code>
            <a href="/slow?ms=2000"><code>/slow?ms=</code></a> <a href="/sse"><code>/sse</code></a> <code>/ws</code>
            <a href="/headers"><code>/headers</code></a> <a href="/die?after=1000"><code>/die?after=</code></a></p>
            </body>
            </html>

            """);
    }

    private static string Header(HttpContext context, string name)
        => context.Request.Headers[name].ToString() is { Length: > 0 } value ? HtmlEncoder.Default.Encode(value) : "(none: asked directly)";
}
