using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CSsl.Silo.Proxy;

/// <summary>
/// An upgraded connection (101, or 200 to an extended CONNECT) between YARP's two copies of it. Each direction's end is passed on at once: the client's is a half-close at the
/// origin, the origin's ends the connection in order, and a reset of either is one of the other.
/// </summary>
/// <remarks>YARP's activity timeout is not this one's, unless the operator set it: an idle connection lives until TCP's own probes find an end of it dead. Only once the client's
/// direction has ended must the origin say something from time to time: nobody would see that such a client is gone.</remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "YARP disposes the client's stream last, and that ends this.")]
internal sealed class Tunnel : IHttpUpgradeFeature, IHttpExtendedConnectFeature
{
    /// <summary>How long the origin may be silent after the client's end.</summary>
    public static readonly TimeSpan HalfClosedTime = TimeSpan.FromSeconds(100);

    private readonly HttpContext _context;
    private readonly OriginStream? _origin;
    private readonly IHttpUpgradeFeature? _upgrade;
    private readonly IHttpExtendedConnectFeature? _connect;
    private readonly CancellationTokenSource _over;
    private readonly CancellationToken _token;
    private readonly CancellationTokenRegistration _reset;
    private readonly CancellationTokenRegistration _given;
    private volatile bool _clientEnded;
    private volatile bool _originEnded;

    /// <param name="context">The client's request.</param>
    /// <param name="origin">The connection to the origin; null where it is a stream among others.</param>
    /// <param name="time">For the time after the client's end.</param>
    /// <param name="given">Ends the tunnel; none, when only its ends do.</param>
    public Tunnel(HttpContext context, OriginStream? origin, TimeProvider time, CancellationToken given)
    {
        (_context, _origin) = (context, origin);
        _upgrade = context.Features.Get<IHttpUpgradeFeature>();
        _connect = context.Features.Get<IHttpExtendedConnectFeature>();
        _over = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _token = _over.Token;
        _reset = context.RequestAborted.UnsafeRegister(static tunnel => ((Tunnel)tunnel!).OnClientLost(), this);
        _given = given.UnsafeRegister(static over => ((CancellationTokenSource)over!).Cancel(), _over);
    }

    bool IHttpUpgradeFeature.IsUpgradableRequest => _upgrade is { IsUpgradableRequest: true };

    bool IHttpExtendedConnectFeature.IsExtendedConnect => _connect is { IsExtendedConnect: true };

    string? IHttpExtendedConnectFeature.Protocol => _connect?.Protocol;

    async Task<Stream> IHttpUpgradeFeature.UpgradeAsync() => new ClientSide(await _upgrade!.UpgradeAsync(), this);

    async ValueTask<Stream> IHttpExtendedConnectFeature.AcceptAsync() => new ClientSide(await _connect!.AcceptAsync(), this);

    /// <summary>What YARP reads the origin's bytes from and writes the client's to.</summary>
    public Stream Origin(Stream stream) => new OriginSide(stream, this);

    private void OnClientLost()
    {
        _origin?.Reset();
        _over.Cancel();
    }

    private async Task OnClientEndAsync()
    {
        _clientEnded = true;
        _over.CancelAfter(HalfClosedTime);
        if (_origin is null || _originEnded || !await _origin.TryEndWritesAsync(_token))
            _over.Cancel();
    }

    private void OnOriginLost()
    {
        _context.Abort();
        _over.Cancel();
    }

    private void OnOriginEnd()
    {
        _originEnded = true;
        _over.Cancel();
    }

    private void End()
    {
        _reset.Dispose();
        _given.Dispose();
        _over.Dispose();
    }

    private sealed class ClientSide(Stream stream, Tunnel tunnel) : WrappedStream(stream)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read;
            try
            {
                read = await Inner.ReadAsync(buffer, tunnel._token);
            }
            catch (OperationCanceledException) when (tunnel._originEnded)
            {
                return 0;
            }
            catch (Exception) when (!tunnel._token.IsCancellationRequested)
            {
                tunnel.OnClientLost();
                throw;
            }

            if (read == 0 && buffer.Length > 0)
                await tunnel.OnClientEndAsync();
            return read;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => Inner.WriteAsync(buffer, tunnel._token);

        public override Task FlushAsync(CancellationToken cancellationToken) => Inner.FlushAsync(tunnel._token);

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing)
                tunnel.End();
        }
    }

    private sealed class OriginSide(Stream stream, Tunnel tunnel) : WrappedStream(stream)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read;
            try
            {
                read = await Inner.ReadAsync(buffer, tunnel._token);
            }
            catch (OperationCanceledException) when (tunnel._clientEnded)
            {
                return 0;
            }
            catch (Exception) when (!tunnel._token.IsCancellationRequested)
            {
                tunnel.OnOriginLost();
                throw;
            }

            if (read == 0 && buffer.Length > 0)
                tunnel.OnOriginEnd();
            else if (tunnel._clientEnded)
                tunnel._over.CancelAfter(HalfClosedTime);
            return read;
        }

        // Where this fails the read does too, and knows how the origin ended; what it sent before is still read.
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => Inner.WriteAsync(buffer, tunnel._token);

        public override Task FlushAsync(CancellationToken cancellationToken) => Inner.FlushAsync(tunnel._token);
    }
}
