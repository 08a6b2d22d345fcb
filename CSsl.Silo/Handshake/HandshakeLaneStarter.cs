using CSsl.Grains.Cluster;
using CSsl.Grains.Handshake;
using CSsl.Silo.Lifecycle;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Handshake;

/// <summary>
/// Starts and stops what a silo needs for the handshake role: the certificates, and the lanes. Lanes are activated when the silo gets the role,
/// and not with the first handshake: to activate a grain, the silo that keeps its entry in the grain directory is asked, which
/// may be another one. When that one hangs or dies, handshakes here must not notice.
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

    /// <summary>Reads the certificates, gets the ticket keys and activates the lanes.</summary>
    /// <exception cref="CSsl.Hosting.Configuration.ConfigurationException">A certificate can't be used.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        vault.Open();
        certificates.Write(vault.Certificates);
        await tickets.RefreshAsync(cancellationToken);
        await Task.WhenAll(lanes.All.Select(lane => ActivateAsync(lane, cancellationToken)));
    }

    /// <summary>Deactivates the lanes and wipes the keys. Handshakes under way end.</summary>
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
                // A lane that nobody calls is deactivated after a while anyway, and it can't begin a handshake.
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

    private async Task ActivateAsync(IHandshakeGrain lane, CancellationToken cancellationToken)
    {
        while (!await TryActivateAsync(lane, cancellationToken))
            await Task.Delay(Pause, time, cancellationToken);
    }

    private async Task<bool> TryActivateAsync(IHandshakeGrain lane, CancellationToken cancellationToken)
    {
        try
        {
            await lane.Abandon(Guid.Empty, cancellationToken); // any call does; nobody has this handshake
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotYet(e.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "a handshake lane can't be activated yet: {Reason}")]
    private partial void LogNotYet(string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "a handshake lane can't be deactivated: {Reason}")]
    private partial void LogNotRetired(string reason);
}
