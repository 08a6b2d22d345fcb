using System.Data.Common;
using CSsl.Database;
using Orleans;
using Orleans.Runtime;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// The membership table, for a silo that comes or goes when others do: before it reads the table to change its own line, it waits for its turn. Each change is conditional on the table's version, and
/// one that loses against another's is tried again by Orleans after two to four seconds: that is how long a whole cluster that starts or stops at once would wait for nothing.
/// </summary>
/// <remarks>A turn only saves time, so nobody waits for one long: a process that hangs keeps the others for <see cref="Patience"/>.</remarks>
internal sealed class MembershipTurns(IMembershipTable table, ClusterDatabase database, TimeProvider time) : IMembershipTable, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>How long to wait for others.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    /// <summary>A turn ends after so long, even if nothing was written.</summary>
    internal static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private bool _isChanging;
    private IAsyncDisposable? _turn;
    private ITimer? _end;

    /// <summary>Orleans reads the table next to change this silo's line.</summary>
    public void BeforeChange()
    {
        lock (_gate)
            _isChanging = true;
    }

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer)
    {
        // It writes Joining, Active, ShuttingDown and Dead right after these.
        Announce(ServiceLifecycleStage.AfterRuntimeGrainServices - 1, starts: true);
        Announce(ServiceLifecycleStage.BecomeActive - 1, starts: true);
        Announce(ServiceLifecycleStage.BecomeActive + 1, starts: false);
        Announce(ServiceLifecycleStage.RuntimeInitialize + 2, starts: false);

        void Announce(int stage, bool starts) => observer.Subscribe(nameof(MembershipTurns), stage, _ => Begin(starts), _ => Begin(!starts));

        Task Begin(bool isNext)
        {
            if (isNext)
                BeforeChange();
            return Task.CompletedTask;
        }
    }

    /// <inheritdoc/>
    public async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        await TakeTurnAsync();
        return await table.ReadAllAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken)
    {
        try
        {
            return await table.InsertRowAsync(entry, tableVersion, cancellationToken);
        }
        finally
        {
            await EndTurnAsync();
        }
    }

    /// <inheritdoc/>
    public async Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken)
    {
        try
        {
            return await table.UpdateRowAsync(entry, etag, tableVersion, cancellationToken);
        }
        finally
        {
            await EndTurnAsync();
        }
    }

    /// <inheritdoc/>
    public Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken) => table.InitializeMembershipTableAsync(tryInitTableVersion, cancellationToken);

    /// <inheritdoc/>
    public Task<MembershipTableData> ReadRowAsync(SiloAddress key, CancellationToken cancellationToken) => table.ReadRowAsync(key, cancellationToken);

    /// <inheritdoc/>
    public Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken) => table.UpdateIAmAliveAsync(entry, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteMembershipTableEntriesAsync(string clusterId, CancellationToken cancellationToken) => table.DeleteMembershipTableEntriesAsync(clusterId, cancellationToken);

    /// <inheritdoc/>
    public Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken) => table.CleanupDefunctSiloEntriesAsync(beforeDate, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _end?.Dispose();

    // As Orleans called them before 10.4; the interface still has them.
    Task<MembershipTableData> IMembershipTable.ReadAll() => ReadAllAsync(CancellationToken.None);

    Task<bool> IMembershipTable.InsertRow(MembershipEntry entry, TableVersion tableVersion) => InsertRowAsync(entry, tableVersion, CancellationToken.None);

    Task<bool> IMembershipTable.UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => UpdateRowAsync(entry, etag, tableVersion, CancellationToken.None);

    Task IMembershipTable.InitializeMembershipTable(bool tryInitTableVersion) => InitializeMembershipTableAsync(tryInitTableVersion, CancellationToken.None);

    Task<MembershipTableData> IMembershipTable.ReadRow(SiloAddress key) => ReadRowAsync(key, CancellationToken.None);

    Task IMembershipTable.UpdateIAmAlive(MembershipEntry entry) => UpdateIAmAliveAsync(entry, CancellationToken.None);

    Task IMembershipTable.DeleteMembershipTableEntries(string clusterId) => DeleteMembershipTableEntriesAsync(clusterId, CancellationToken.None);

    Task IMembershipTable.CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => CleanupDefunctSiloEntriesAsync(beforeDate, CancellationToken.None);

    private async Task TakeTurnAsync()
    {
        lock (_gate)
        {
            if (!_isChanging)
                return;
            _isChanging = false;
        }

        try
        {
            if (await database.TakeTurnAsync(Patience) is not { } turn)
                return;
            lock (_gate)
            {
                _turn = turn;
                _end?.Dispose();
                _end = time.CreateTimer(static self => _ = ((MembershipTurns)self!).EndTurnAsync(), this, LongestTurn, Timeout.InfiniteTimeSpan);
            }
        }
        catch (DbException)
        {
            // Orleans is about to find the same, and knows what to do about it.
        }
    }

    private async Task EndTurnAsync()
    {
        IAsyncDisposable? turn;
        lock (_gate)
            (turn, _turn) = (_turn, null);
        if (turn is not null)
            await turn.DisposeAsync();
    }
}
