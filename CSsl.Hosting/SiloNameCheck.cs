using System.Net;
using System.Net.Sockets;
using CSsl.Database;
using Microsoft.Extensions.Hosting;

namespace CSsl.Hosting;

/// <summary>
/// Keeps a silo from starting under the name of one that lives: orders, roles and links go by name. One that was killed and is started again finds its own
/// last row in the membership table, still as alive, so a row alone proves nothing: its silo lives if it accepts connections and renews the row.
/// </summary>
/// <remarks>Runs after <see cref="ClusterKeyCheck"/>. Against mistakes only; two that start in the same second may miss each other.</remarks>
public sealed class SiloNameCheck(ClusterDatabase database, string orleansId, string name, TimeProvider time) : IHostedService
{
    private static readonly TimeSpan ConnectTime = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>A row is renewed every 3 s: one that is not for so long has nobody who does.</summary>
    private static readonly TimeSpan RenewalTime = TimeSpan.FromSeconds(7);

    /// <inheritdoc/>
    /// <exception cref="InUseException">A silo of this name lives: says where.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var row in await ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (await LivesAsync(row, cancellationToken).ConfigureAwait(false))
                throw new InUseException($"a silo with the name {name} lives already, at {row.Address}:{row.Port}: names are unique in a cluster (Silo:Name)");
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> LivesAsync(Row row, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (await AcceptsAsync(row, cancellationToken).ConfigureAwait(false) && time.GetElapsedTime(began) < RenewalTime)
        {
            var rows = await ReadAsync(cancellationToken).ConfigureAwait(false);
            if (rows.Find(now => now.IsSameRun(row)) is not { } now)
                return false;
            if (now.AliveAt > row.AliveAt)
                return true;
            await Task.Delay(PollInterval, time, cancellationToken).ConfigureAwait(false);
        }

        return false;
    }

    private async Task<bool> AcceptsAsync(Row row, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(ConnectTime, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(row.Address), row.Port, linked.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && timeout.IsCancellationRequested))
        {
            return false;
        }
    }

    private Task<List<Row>> ReadAsync(CancellationToken cancellationToken) => database.ReadAsync(
        new Query("SELECT Address, Port, Generation, IAmAliveTime FROM OrleansMembershipTable WHERE DeploymentId = @Cluster AND SiloName = @Name AND Status <> @Dead")
            .With("Cluster", orleansId).With("Name", name).With("Dead", ClusterKeyCheck.Dead),
        static row => new Row(row.GetString(0), row.GetInt32(1), row.GetInt32(2), row.GetDateTime(3)),
        cancellationToken);

    private sealed record Row(string Address, int Port, int Generation, DateTime AliveAt)
    {
        public bool IsSameRun(Row other) => (Address, Port, Generation) == (other.Address, other.Port, other.Generation);
    }
}
