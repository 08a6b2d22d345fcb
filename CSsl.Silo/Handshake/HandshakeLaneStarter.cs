using CSsl.Grains.Cluster;
using CSsl.Grains.Handshake;
using CSsl.Silo.Lifecycle;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Handshake;

/// <summary>
/// Opens what a silo needs for the handshake role when it gets it, the certificates and the lanes, and closes it when it loses it. Lanes are activated
/// with the role, and not with the first handshake, which would wait for it.
/// </summary>
internal sealed partial class HandshakeLaneStarter(
    HandshakeLanes lanes,
    CertificateVault vault,
    TicketKeyKeeper tickets,
    CertificateLog certificates,
    SiloStatus status,
    TimeProvider time,
    ILogger<HandshakeLaneStarter> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Reads the certificates, gets the ticket keys and opens the lanes.</summary>
    /// <exception cref="CSsl.Hosting.Configuration.ConfigurationException">A certificate can't be used.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        vault.Open();
        certificates.Write(vault.Certificates);
        await tickets.RefreshAsync(cancellationToken);
        await Task.WhenAll(lanes.All.Select(lane => OpenAsync(lane, cancellationToken)));
    }

    /// <summary>Retires the lanes and wipes the keys. Handshakes under way end.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        vault.Close();
        foreach (var lane in lanes.All)
        {
            try
            {
                await lane.Retire(cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // It can't begin a handshake without keys, and forgets what is left in it when its time is over.
                LogNotRetired(e.Message);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!status.Roles.HasFlag(SiloRoles.Handshake))
            return;

        try
        {
            await OpenAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task OpenAsync(IHandshakeGrain lane, CancellationToken cancellationToken)
    {
        while (!await TryOpenAsync(lane, cancellationToken))
            await Task.Delay(Pause, time, cancellationToken);
    }

    private async Task<bool> TryOpenAsync(IHandshakeGrain lane, CancellationToken cancellationToken)
    {
        try
        {
            await lane.Open(cancellationToken);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotYet(e.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "a handshake lane can't be opened yet: {Reason}")]
    private partial void LogNotYet(string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "a handshake lane can't be retired: {Reason}")]
    private partial void LogNotRetired(string reason);
}
