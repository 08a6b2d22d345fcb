using CSsl.Database;
using Microsoft.Extensions.Hosting;

namespace CSsl.Hosting;

/// <summary>Brings the cluster's tables up to date before anything that is started after it uses them: Orleans does not do it itself.</summary>
public sealed class DatabasePreparation(ClusterDatabase database) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => database.PrepareAsync(cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
