using System.Globalization;
using System.Net;
using System.Text.Json;
using CSsl.EmbeddedCluster.Cluster;
using CSsl.EmbeddedCluster.Serialization;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>Sends messages to silos over HTTP/2.</summary>
internal sealed partial class SiloTransport : IDisposable
{
    private readonly ClusterAuthenticator _authenticator;
    private readonly Membership _membership;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly LogThrottle _refusals;
    private readonly HttpClient _http;

    public SiloTransport(ClusterAuthenticator authenticator, Membership membership, int maxMessageBytes, TimeProvider time, ILogger log, HttpMessageHandler? handler = null)
    {
        _authenticator = authenticator;
        _membership = membership;
        _time = time;
        _log = log;
        _refusals = new LogThrottle(time);
        handler ??= new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(1),
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
        };
        _http = new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = maxMessageBytes,
        };
    }

    /// <summary>Sends a message and returns its answer.</summary>
    /// <exception cref="UndeliveredException">Nothing was sent, or the receiver is not the silo that was meant.</exception>
    /// <exception cref="SiloUnavailableException">The connection was lost: the message may have had its effect.</exception>
    /// <exception cref="OrleansException">The peer does not have the cluster key, or did not understand.</exception>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    public async Task<TAnswer> SendAsync<TAnswer>(SiloAddress to, string path, object message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var body = ContractSerializer.Serialize(message, message.GetType());
            var answer = await PostAsync(to, path, body, either.Token).ConfigureAwait(false);
            return (TAnswer)ContractSerializer.Deserialize(answer, typeof(TAnswer))!;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Silo {to} did not answer {path} within {timeout.TotalSeconds:0.###} s.");
        }
        catch (JsonException e)
        {
            throw new OrleansException($"Silo {to} answered {path} with something else.", e);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<byte[]> PostAsync(SiloAddress to, string path, byte[] body, CancellationToken cancellationToken)
    {
        var header = new MessageHeader(path, to.ToParsableString(), _membership.Current.Version, _time.GetUtcNow().ToUnixTimeMilliseconds(), Guid.NewGuid());
        var mac = _authenticator.SignRequest(header, body);
        using var content = new MessageContent(body);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://{to.Endpoint}{path}"))
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        WireHeaders.Write(request.Headers, header, mac);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken).ConfigureAwait(false);
            var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return Check(to, path, response, mac, answer);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UndeliveredException(to, "no connection in time.", e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            throw new UndeliveredException(to, "no connection.", e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new OrleansException($"Silo {to} answered {path} with more than {_http.MaxResponseContentBufferSize} bytes.", e);
        }
        catch (HttpRequestException e) when (!content.IsBegun)
        {
            // A silo that is stopping still accepts connections for a moment, to say that it takes nothing more.
            throw new UndeliveredException(to, "it closed the connection before the message was sent.", e);
        }
        catch (HttpRequestException e)
        {
            throw new SiloUnavailableException($"The connection to silo {to} was lost before it answered {path}.", e);
        }
    }

    private byte[] Check(SiloAddress to, string path, HttpResponseMessage response, string requestMac, byte[] answer)
    {
        var status = (int)response.StatusCode;
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            if (_refusals.TryPass(out _))
                LogRefused(_log, to, path);
            throw new OrleansException($"Silo {to} refused {path}: this process does not have its cluster key, or its clock is off.");
        }
        if (response.StatusCode == HttpStatusCode.RequestEntityTooLarge)
            throw new OrleansException($"Silo {to} refused {path}: the message is too large.");
        if (!ClusterAuthenticator.Matches(_authenticator.SignResponse(status, requestMac, answer), WireHeaders.ReadMac(response.Headers)))
        {
            if (_refusals.TryPass(out _))
                LogImpostor(_log, to, path, status);
            throw new OrleansException($"What answers at {to} does not have the cluster key.");
        }
        return response.StatusCode switch
        {
            HttpStatusCode.OK => answer,
            HttpStatusCode.Gone => throw new UndeliveredException(to, "another run of it is there, or it was declared dead."),
            HttpStatusCode.ServiceUnavailable => throw new UndeliveredException(to, "it is leaving."),
            _ => throw new OrleansException(string.Create(CultureInfo.InvariantCulture, $"Silo {to} answered {path} with status {status}.")),
        };
    }

    [LoggerMessage(20, LogLevel.Error, "Silo {Silo} refused {Path}: this process has another cluster key (Cluster:KeyFile), or its clock is off.")]
    private static partial void LogRefused(ILogger logger, SiloAddress silo, string path);

    [LoggerMessage(21, LogLevel.Error, "What answers {Path} at {Silo} (status {Status}) does not have the cluster key (Cluster:KeyFile).")]
    private static partial void LogImpostor(ILogger logger, SiloAddress silo, string path, int status);
}
