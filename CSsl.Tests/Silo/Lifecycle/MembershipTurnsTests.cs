using System.Net;
using CSsl.Database;
using CSsl.Silo.Lifecycle;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Orleans;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Silo.Lifecycle;

public sealed class MembershipTurnsTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly SharedTable _table = new();

    [Fact]
    public async Task Silos_that_change_the_table_at_once_do_so_one_after_another()
    {
        using MembershipTurns first = NewSilo(), second = NewSilo();
        first.BeforeChange();
        second.BeforeChange();

        TableVersion seen = (await first.ReadAllAsync(default)).Version;
        Task<MembershipTableData> reads = second.ReadAllAsync(default);
        Assert.True(await first.UpdateRowAsync(Entry(1), "", seen.Next(), default));

        Assert.True(await second.UpdateRowAsync(Entry(2), "", (await reads).Version.Next(), default));
    }

    [Fact]
    public async Task Turn_in_which_nothing_is_written_ends()
    {
        using MembershipTurns first = NewSilo(), second = NewSilo();
        first.BeforeChange();
        await first.ReadAllAsync(default);

        second.BeforeChange();
        Task<MembershipTableData> reads = second.ReadAllAsync(default);
        _time.Advance(MembershipTurns.LongestTurn);

        Assert.True(await second.UpdateRowAsync(Entry(2), "", (await reads).Version.Next(), default));
    }

    [Fact]
    public async Task Silo_that_only_reads_needs_no_turn()
    {
        using MembershipTurns first = NewSilo(), second = NewSilo();
        first.BeforeChange();
        await first.ReadAllAsync(default);

        Assert.True(second.ReadAllAsync(default).IsCompleted);
    }

    public void Dispose() => _folder.Dispose();

    private static MembershipEntry Entry(int number) => new() { SiloAddress = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, number), 1) };

    /// <summary>With a database object of its own, as in a process of its own.</summary>
    private MembershipTurns NewSilo() => new(_table, ClusterDatabase.Of(_folder.File("cluster.db")), _time);

    /// <summary>Takes a change when its version follows the one that is there.</summary>
    private sealed class SharedTable : IMembershipTable
    {
        private int _version;

        public Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
            => Task.FromResult(new MembershipTableData(new TableVersion(_version, $"{_version}")));

        public Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken)
        {
            bool isNext = tableVersion.Version == _version + 1;
            _version += isNext ? 1 : 0;
            return Task.FromResult(isNext);
        }

        Task<MembershipTableData> IMembershipTable.ReadAll() => throw new NotSupportedException();

        Task<bool> IMembershipTable.InsertRow(MembershipEntry entry, TableVersion tableVersion) => throw new NotSupportedException();

        Task<bool> IMembershipTable.UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => throw new NotSupportedException();

        Task IMembershipTable.InitializeMembershipTable(bool tryInitTableVersion) => throw new NotSupportedException();

        Task<MembershipTableData> IMembershipTable.ReadRow(SiloAddress key) => throw new NotSupportedException();

        Task IMembershipTable.UpdateIAmAlive(MembershipEntry entry) => throw new NotSupportedException();

        Task IMembershipTable.DeleteMembershipTableEntries(string clusterId) => throw new NotSupportedException();

        Task IMembershipTable.CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => throw new NotSupportedException();
    }
}
