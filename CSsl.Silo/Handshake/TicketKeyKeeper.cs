using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;

namespace CSsl.Silo.Handshake;

/// <summary>
/// Keeps this silo's ticket keys the cluster's, while it has the handshake role. A silo starts with the key that all derive from the sealing key, tries
/// for a moment to get the ring before it takes its first client, and goes on with the last ring that it got while the grain can't be reached.
/// </summary>
internal sealed partial class TicketKeyKeeper(
    IGrainFactory grains,
    CertificateVault vault,
    SecretSealer sealer,
    IOptions<ResumptionOptions> options,
    TimeProvider time,
    ILogger<TicketKeyKeeper> logger) : BackgroundService
{
    private readonly Lock _gate = new();
    private TicketKeys? _keys;
    private TicketKeyAnswer? _last;
    private bool _failing;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(options.Value.TicketKeyRefresh, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await RefreshAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    /// <summary>Gets the ring now; a silo without the handshake role needs none. Does not throw for trouble with the control plane.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (!vault.IsOpen)
            return;

        try
        {
            Use(await grains.GetGrain<ITicketKeyGrain>(0).GetKeys(cancellationToken));
            if (_failing)
                LogReachedAgain();
            _failing = false;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            if (!_failing)
                LogUnreachable(e.Message);
            _failing = true;
        }
    }

    private void Use(TicketKeyAnswer answer)
    {
        lock (_gate)
        {
            // The role may be lost by now, or be a new one, with keys that have seen no ring yet.
            if (vault.TicketKeys is not { } keys || (keys == _keys && _last is { } last && last.Issuing == answer.Issuing && last.Ring.Span.SequenceEqual(answer.Ring.Span)))
                return;

            using var encoded = sealer.Open(TicketKeyGrain.Purpose, answer.Ring.Span);
            using var ring = TicketKeyRing.Decode(encoded.Span);
            keys.Replace(ring, answer.Issuing);
            (_keys, _last) = (keys, answer);
            LogUsed(ring.Keys[answer.Issuing].DisplayName, ring.Keys.Count);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "tickets are issued under key {Key}, one of {Count}")]
    private partial void LogUsed(string key, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the ticket keys can't be refreshed, this silo goes on with the ones it has: {Reason}")]
    private partial void LogUnreachable(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "the ticket keys are refreshed again")]
    private partial void LogReachedAgain();
}
