using System.Globalization;
using System.Net;
using CSsl.Database;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>
/// The rows of one cluster in OrleansMembershipTable, through the statements that Orleans's provider uses. Every change but the I-am-alive time raises
/// the version, and fails unless the version is the one that was read before: then it is tried anew on what is there now.
/// </summary>
internal sealed class MembershipTable(ClusterDatabase database, string clusterId, TimeProvider time)
{
    /// <summary>Generations count seconds from here, so that they fit the table's column for as long as anybody cares.</summary>
    private static readonly DateTimeOffset Epoch = new(2022, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How long the row of a dead silo is kept for whoever wants to know what happened.</summary>
    private static readonly TimeSpan DeadRowsKept = TimeSpan.FromHours(1);

    /// <summary>A row that was not renewed for so long is of a cluster that died as a whole, or that could not reach its database.</summary>
    private static readonly TimeSpan AliveRowsTrusted = TimeSpan.FromSeconds(30);

    /// <summary>A change that lost so often against those of others is given up.</summary>
    private const int MaxAttempts = 100;

    public async Task<ClusterSnapshot> ReadAsync() => (await ReadRowsAsync().ConfigureAwait(false)).Snapshot;

    /// <summary>Enters silos as dead that have not said for long that they are alive, and don't answer: with nobody left to probe them, nobody else does.</summary>
    /// <param name="answers">Whether a silo answers a probe: while the database was away, the living could not say that they are.</param>
    public async Task BuryAsync(Func<SiloAddress, Task<bool>> answers)
    {
        var stale = (await ReadRowsAsync().ConfigureAwait(false)).Rows.Where(row => row.Member.Status != SiloStatus.Dead && row.AliveAt < time.GetUtcNow() - AliveRowsTrusted).ToArray();
        var alive = await Task.WhenAll(stale.Select(row => answers(row.Member.Address))).ConfigureAwait(false);
        foreach (var (row, _) in stale.Zip(alive).Where(static pair => !pair.Second))
            await ChangeAsync(rows => DeclareDeadAsync(rows, row.Member.Address)).ConfigureAwait(false);
        await WriteAsync(Query(StoredQueries.CleanupDefunctSilos).With("IAmAliveTime", time.GetUtcNow() - DeadRowsKept)).ConfigureAwait(false);
    }

    /// <summary>Enters a silo as active. Earlier runs of its name, and whoever had its address, are dead.</summary>
    public async Task<SiloAddress> JoinAsync(IPEndPoint endpoint, string name)
    {
        await WriteAsync(Query(StoredQueries.InsertMembershipVersion)).ConfigureAwait(false);
        SiloAddress? joined = null;
        await ChangeAsync(async rows =>
        {
            foreach (var (member, _) in rows.Rows)
            {
                if (member.Status != SiloStatus.Dead && (member.Name == name || member.Address.Endpoint.Equals(endpoint)))
                    return await DeclareDeadAsync(rows, member.Address).ConfigureAwait(false) ? Change.GoesOn : Change.Lost;
            }

            var now = time.GetUtcNow();
            var generation = rows.Rows.Select(static row => row.Member.Address.Generation).DefaultIfEmpty().Max() + 1;
            joined = SiloAddress.New(endpoint, (int)Math.Max((long)(now - Epoch).TotalSeconds, generation));
            return await WriteAsync(Row(StoredQueries.InsertMembership, joined)
                .With("SiloName", name)
                .With("HostName", Environment.MachineName)
                .With("Status", (int)SiloStatus.Active)
                .With("ProxyPort", endpoint.Port)
                .With("StartTime", now)
                .With("IAmAliveTime", now)
                .With("Version", rows.Version)).ConfigureAwait(false) ? Change.Done : Change.Lost;
        }).ConfigureAwait(false);
        return joined!;
    }

    /// <summary>Changes a silo's status. False when it is dead: that is final.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="status">Its new status.</param>
    /// <param name="by">Who says so. Only a silo that is not dead itself may.</param>
    public async Task<bool> SetStatusAsync(SiloAddress silo, SiloStatus status, SiloAddress by)
    {
        var allowed = false;
        await ChangeAsync(async rows =>
        {
            allowed = rows.StatusOf(by) != SiloStatus.Dead && rows.StatusOf(silo) != SiloStatus.Dead;
            if (!allowed)
                return Change.Done;
            var suspect = silo.Equals(by) ? null : $"{by},{time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff 'GMT'", CultureInfo.InvariantCulture)}";
            return await UpdateAsync(rows, silo, status, suspect).ConfigureAwait(false) ? Change.Done : Change.Lost;
        }).ConfigureAwait(false);
        return allowed;
    }

    public Task SayAliveAsync(SiloAddress silo) => WriteAsync(Row(StoredQueries.UpdateIAmAliveTime, silo).With("IAmAliveTime", time.GetUtcNow()));

    private async Task<MembershipRows> ReadRowsAsync()
        => MembershipRows.From(await database.ReadAsync(Query(StoredQueries.MembershipReadAll), MembershipRows.Read).ConfigureAwait(false));

    private Task ChangeAsync(Func<MembershipRows, Task<bool>> attempt)
        => ChangeAsync(async rows => await attempt(rows).ConfigureAwait(false) ? Change.Done : Change.Lost);

    private async Task ChangeAsync(Func<MembershipRows, Task<Change>> attempt)
    {
        for (var lost = 0; ;)
        {
            switch (await attempt(await ReadRowsAsync().ConfigureAwait(false)).ConfigureAwait(false))
            {
                case Change.Done:
                    return;
                case Change.Lost when ++lost == MaxAttempts:
                    throw new TimeoutException($"The membership of cluster {clusterId} was changed by others {lost} times in a row.");
                default:
                    break;
            }
        }
    }

    private Task<bool> DeclareDeadAsync(MembershipRows rows, SiloAddress silo)
        => rows.StatusOf(silo) == SiloStatus.Dead ? Task.FromResult(true) : UpdateAsync(rows, silo, SiloStatus.Dead, null);

    private Task<bool> UpdateAsync(MembershipRows rows, SiloAddress silo, SiloStatus status, string? suspect) => WriteAsync(Row(StoredQueries.UpdateMembership, silo)
        .With("Status", (int)status)
        .With("SuspectTimes", suspect)
        .With("IAmAliveTime", rows.Find(silo)!.AliveAt)
        .With("Version", rows.Version));

    /// <summary>True when the statement says that it changed something.</summary>
    private async Task<bool> WriteAsync(Query query)
        => (await database.WriteAsync(query, static row => row.GetInt32(0)).ConfigureAwait(false)) is [> 0];

    private Query Query(string statement) => database.Queries[statement].With("DeploymentId", clusterId);

    private Query Row(string statement, SiloAddress silo) => Query(statement)
        .With("Address", silo.Endpoint.Address.ToString())
        .With("Port", silo.Endpoint.Port)
        .With("Generation", silo.Generation);

    /// <summary>How an attempt to change the table ended.</summary>
    private enum Change
    {
        Done,

        /// <summary>A step was made; there is another.</summary>
        GoesOn,

        /// <summary>Somebody else changed the table since it was read.</summary>
        Lost,
    }
}
