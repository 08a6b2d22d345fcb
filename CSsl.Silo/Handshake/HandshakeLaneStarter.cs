using CSsl.Grains.Handshake;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Handshake;

/// <summary>
/// Activates this silo's lanes when it starts, and not with the first handshake: to activate a grain, the silo that keeps its entry in the
/// grain directory is asked, which may be another one. When that one hangs or dies, handshakes here must not notice.
/// </summary>
internal sealed partial class HandshakeLaneStarter(HandshakeLanes lanes, TimeProvider time, ILogger<HandshakeLaneStarter> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
        => Task.WhenAll(lanes.All.Select(lane => ActivateAsync(lane, stoppingToken)));

    private async Task ActivateAsync(IHandshakeGrain lane, CancellationToken stoppingToken)
    {
        try
        {
            while (!await TryActivateAsync(lane, stoppingToken))
                await Task.Delay(Pause, time, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task<bool> TryActivateAsync(IHandshakeGrain lane, CancellationToken stoppingToken)
    {
        try
        {
            await lane.Abandon(Guid.Empty, stoppingToken); // any call does; nobody has this handshake
            return true;
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            LogNotYet(e.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "a handshake lane can't be activated yet: {Reason}")]
    private partial void LogNotYet(string reason);
}
