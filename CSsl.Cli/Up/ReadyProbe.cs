using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CSsl.Cli.Status;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Up;

/// <summary>Finds out when the cluster serves: by a real HTTPS request through it, as a client makes one.</summary>
internal sealed class ReadyProbe : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AttemptTime = TimeSpan.FromSeconds(5);

    /// <summary>Processes that are not there for so long won't delay the readiness of those that are.</summary>
    private static readonly TimeSpan MembershipTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan HintInterval = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;
    private readonly StatusClient _status;
    private readonly X509Certificate2? _authority;
    private readonly Uri _url;

    // Of our own attempts, by which the gateway's refusals of us are known.
    private readonly HashSet<int> _ports = [];
    private volatile string? _distrust;

    /// <param name="https">Where the gateway listens for clients.</param>
    /// <param name="admin">The admin endpoint.</param>
    /// <param name="authority">File of the CA that must have signed the certificate; null accepts any, since the operator's own may be for other names.</param>
    public ReadyProbe(IPEndPoint https, IPEndPoint admin, string? authority)
    {
        _url = new Uri($"https://{HostPort.Reachable(https)}/");
        _status = new StatusClient(HostPort.Reachable(admin).ToString());
        _authority = authority is null ? null : X509CertificateLoader.LoadCertificateFromFile(authority);

        // A connection per attempt: readiness is that a new client is served.
        var handler = new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero, AllowAutoRedirect = false, UseCookies = false };
        handler.ConnectCallback = ConnectAsync;
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Accepts(certificate, chain, errors);
        _http = new HttpClient(handler) { Timeout = AttemptTime };
    }

    /// <summary>"https://127.0.0.1:8443"</summary>
    public string Url => _url.GetLeftPart(UriPartial.Authority);

    /// <summary>Returns when all processes are in the cluster's view and a request succeeds.</summary>
    /// <exception cref="ConfigurationException">None ever will: says why.</exception>
    public async Task WaitAsync(int processes, Action<string> hint, CancellationToken cancellationToken)
    {
        // The view first: a gateway that knows no silo would refuse the request, and log that it did.
        var start = Stopwatch.StartNew();
        while (!await AllActiveAsync(processes, cancellationToken) && start.Elapsed < MembershipTime)
            await Task.Delay(Interval, cancellationToken);

        var sinceHint = Stopwatch.StartNew();
        while (await AttemptAsync(cancellationToken) is { } failure)
        {
            if (await LastingAsync(cancellationToken) is { } reason)
                throw new ConfigurationException($"no client like this one is ever served: GET {_url}: {reason}");
            if (sinceHint.Elapsed > HintInterval)
            {
                hint($"not ready yet: {failure}");
                sinceHint.Restart();
            }

            await Task.Delay(Interval, cancellationToken);
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _status.Dispose();
        _authority?.Dispose();
    }

    /// <summary>Null when a request got an answer from the origin, or else why not.</summary>
    private async Task<string?> AttemptAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(_url, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
                ? $"GET {_url} answers {(int)response.StatusCode}: does the origin run?"
                : null;
        }
        catch (HttpRequestException e)
        {
            return $"GET {_url}: {(e.InnerException ?? e).Message}";
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"GET {_url}: no answer within {AttemptTime.TotalSeconds:0} s";
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            lock (_ports)
                _ports.Add(((IPEndPoint)socket.LocalEndPoint!).Port);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Why no attempt can succeed, as we or the gateway know it; null: one may.</summary>
    private async Task<string?> LastingAsync(CancellationToken cancellationToken)
    {
        if (_distrust is { } distrust)
            return distrust;
        try
        {
            var status = await _status.GetAsync(cancellationToken);
            lock (_ports)
                return status.Refusals.FirstOrDefault(IsOurs) is { } refusal ? $"the gateway refuses it: {refusal.Reason}: {refusal.Detail}" : null;
        }
        catch (StatusException)
        {
            return null;
        }

        bool IsOurs(RefusalStatus refusal) => refusal.IsLasting && IPEndPoint.TryParse(refusal.Client, out var client) && _ports.Contains(client.Port);
    }

    private async Task<bool> AllActiveAsync(int processes, CancellationToken cancellationToken)
    {
        try
        {
            var status = await _status.GetAsync(cancellationToken);
            return status.Processes.Count(process => process.State == nameof(SiloState.Active)) >= processes;
        }
        catch (StatusException)
        {
            return false;
        }
    }

    private bool Accepts(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (_authority is null || certificate is not X509Certificate2 leaf || chain is null)
            return _authority is null;

        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (!chain.Build(leaf))
            _distrust = $"the certificate {leaf.Subject} is not good under {_authority.Subject}: {string.Join(", ", chain.ChainStatus.Select(static status => status.Status))}";
        else if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
            _distrust = $"the certificate {leaf.Subject} is not for {_url.Host}";
        return _distrust is null;
    }
}
