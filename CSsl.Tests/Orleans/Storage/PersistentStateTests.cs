using CSsl.Database;
using CSsl.Tests.Database;
using CSsl.Tests.Support;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using Xunit;

namespace CSsl.Tests.Orleans.Storage;

[GenerateSerializer]
public sealed class Account
{
    [Id(0)] public int Balance { get; set; }
}

public interface IAccountGrain : IGrainWithIntegerKey
{
    Task<int> Deposit(int amount);
    Task<(string? Etag, bool Exists, int Balance)> Look();
    Task Clear();
    Task DepositBehindItsBack(int amount);
    Task DeactivateSoon();
}

public sealed class AccountGrain([PersistentState("account", "default")] IPersistentState<Account> account, [PersistentState("other")] IPersistentState<Account> other) : Grain, IAccountGrain
{
    private static IPersistentState<Account>? s_previous;

    public async Task<int> Deposit(int amount)
    {
        account.State.Balance += amount;
        await account.WriteStateAsync();
        other.State.Balance = -1;
        await other.WriteStateAsync();
        return account.State.Balance;
    }

    public Task<(string? Etag, bool Exists, int Balance)> Look() => Task.FromResult((account.Etag, account.RecordExists, account.State.Balance));

    public Task Clear() => account.ClearStateAsync();

    /// <summary>Writes through a state of the same row that this activation does not know of: that of the activation before.</summary>
    public async Task DepositBehindItsBack(int amount)
    {
        await s_previous!.ReadStateAsync();
        s_previous.State.Balance += amount;
        await s_previous.WriteStateAsync();
    }

    public Task DeactivateSoon()
    {
        s_previous = account;
        DeactivateOnIdle();
        return Task.CompletedTask;
    }
}

[Collection(Databases.Name)]
public sealed class PersistentStateTests(Postgres postgres)
{
    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task State_is_there_again_when_the_grain_is_activated_again(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateEmptyAsync(kind, postgres);
        await using var cluster = new TestCluster { Database = database.Connection };
        var grain = (await cluster.StartSiloAsync()).Grains().GetGrain<IAccountGrain>(1);
        Assert.Equal((null, false, 0), await grain.Look());
        await grain.Deposit(5);
        await grain.Deposit(6);

        await grain.DeactivateSoon();

        Assert.Equal(("2", true, 11), await grain.Look());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task State_is_read_on_another_silo_when_the_first_was_killed(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateEmptyAsync(kind, postgres);
        await using var cluster = new TestCluster { Database = database.Connection };
        var s1 = await cluster.StartSiloAsync("s1");
        await s1.Grains().GetGrain<IAccountGrain>(1).Deposit(5);
        await s1.KillAsync();

        var s2 = await cluster.StartSiloAsync("s1");

        Assert.Equal(5, (await s2.Grains().GetGrain<IAccountGrain>(1).Look()).Balance);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task States_of_other_keys_and_names_are_their_own(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateEmptyAsync(kind, postgres);
        await using var cluster = new TestCluster { Database = database.Connection };
        var grains = (await cluster.StartSiloAsync()).Grains();
        await grains.GetGrain<IAccountGrain>(1).Deposit(5);

        Assert.Equal((null, false, 0), await grains.GetGrain<IAccountGrain>(2).Look());
        Assert.Equal((null, false, 0), await grains.GetGrain<IAccountGrain>(-1).Look());
        Assert.Equal(("1", true, 5), await grains.GetGrain<IAccountGrain>(1).Look());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Write_is_refused_and_the_grain_reads_anew_when_somebody_else_wrote(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateEmptyAsync(kind, postgres);
        await using var cluster = new TestCluster { Database = database.Connection };
        var grain = (await cluster.StartSiloAsync()).Grains().GetGrain<IAccountGrain>(1);
        await grain.Deposit(5);
        await grain.DeactivateSoon();
        await grain.DepositBehindItsBack(100);

        var thrown = await Assert.ThrowsAsync<InconsistentStateException>(() => grain.Deposit(1));

        Assert.Equal(("2", "1"), (thrown.StoredEtag, thrown.CurrentEtag));
        Assert.Equal(106, await grain.Deposit(1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cleared_state_is_new_and_can_be_written_again(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateEmptyAsync(kind, postgres);
        await using var cluster = new TestCluster { Database = database.Connection };
        var grain = (await cluster.StartSiloAsync()).Grains().GetGrain<IAccountGrain>(1);
        await grain.Deposit(5);

        await grain.Clear();
        await grain.DeactivateSoon();

        Assert.Equal(("2", false, 0), await grain.Look());
        Assert.Equal(3, await grain.Deposit(3));
        Assert.Equal(("3", true, 3), await grain.Look());
    }
}
