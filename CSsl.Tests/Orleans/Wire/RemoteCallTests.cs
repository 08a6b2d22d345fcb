using System.Security.Cryptography;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Wire;

public sealed class RemoteCallTests
{
    [Fact]
    public async Task Values_of_every_kind_cross_the_wire()
    {
        await using var cluster = new TestCluster();
        await cluster.StartSiloAsync();
        var client = await cluster.StartClientAsync();
        var inner = new Parcel { Name = "inner", Number = ulong.MaxValue };
        var parcel = new Parcel { Name = "ä\0", Bytes = new byte[] { 0, 255, 7 }, Ids = [Guid.NewGuid(), Guid.Empty], Day = DayOfWeek.Friday, At = new DateTimeOffset(2030, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(-7)), Inner = inner };

        var back = await client.Echo("a").Echo(parcel, default);

        Assert.Equal(parcel.Bytes.ToArray(), back.Bytes.ToArray());
        Assert.Equal(parcel.Ids, back.Ids);
        Assert.Equal(inner.Number, back.Inner!.Number);
        Assert.Equal((parcel.Name, parcel.Day, parcel.At, inner.Name), (back.Name, back.Day, back.At, back.Inner.Name));
    }

    [Theory]
    [InlineData("argument", typeof(ArgumentException), "bad argument")]
    [InlineData("bad state", typeof(InvalidOperationException), "bad state")]
    [InlineData("own", typeof(ParcelLostException), "lost")]
    [InlineData("strange", typeof(OrleansException), "CSsl.Tests.Orleans.StrangeException: code 7")]
    public async Task Exception_is_thrown_at_the_caller_when_the_grain_throws(string kind, Type type, string message)
    {
        await using var cluster = new TestCluster();
        await cluster.StartSiloAsync();
        var client = await cluster.StartClientAsync();

        var thrown = await Assert.ThrowsAsync(type, () => client.Echo("a").Fail(kind));

        Assert.Equal(message, thrown.Message);
    }

    [Fact]
    public async Task Local_exception_is_the_very_one_that_the_grain_threw()
    {
        await using var cluster = new TestCluster();
        var silo = await cluster.StartSiloAsync();

        await Assert.ThrowsAsync<StrangeException>(() => silo.Echo("a").Fail("strange"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Grain_sees_it_when_its_caller_cancels(bool remote)
    {
        await using var cluster = new TestCluster();
        var silo = await cluster.StartSiloAsync();
        var grain = (remote ? await cluster.StartClientAsync() : silo).Echo("a");
        using var cancellation = new CancellationTokenSource();
        var call = grain.Wait("gate", cancellation.Token);
        await cluster.Events.Until("waiting gate");

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await cluster.Events.Until("canceled gate");
    }

    [Fact]
    public async Task Call_times_out_when_the_grain_does_not_answer()
    {
        await using var cluster = new TestCluster { ResponseTimeout = TimeSpan.FromMilliseconds(500) };
        await cluster.StartSiloAsync();

        var grain = (await cluster.StartClientAsync()).Echo("a");

        await Assert.ThrowsAsync<TimeoutException>(() => grain.Wait("gate", default));

        cluster.Events.Open("gate");
    }

    [Fact]
    public async Task Call_that_timed_out_before_its_turn_never_runs()
    {
        await using var cluster = new TestCluster { ResponseTimeout = TimeSpan.FromMilliseconds(500) };
        var grain = (await cluster.StartSiloAsync()).Echo("a");
        var blocking = grain.Wait("gate", default);
        await cluster.Events.Until("waiting gate");

        await Assert.ThrowsAsync<TimeoutException>(async () => await grain.Calls());
        await Assert.ThrowsAsync<TimeoutException>(() => blocking);
        cluster.Events.Open("gate");

        Assert.Equal(1, await grain.Calls());
    }

    [Fact]
    public async Task Call_is_refused_when_the_client_has_another_key()
    {
        await using var cluster = new TestCluster();
        await cluster.StartSiloAsync();
        cluster.Key = RandomNumberGenerator.GetBytes(32);
        var client = await cluster.StartClientAsync();

        var thrown = await Assert.ThrowsAsync<OrleansException>(async () => await client.Echo("a").Where());

        Assert.Contains("cluster key", thrown.Message, StringComparison.Ordinal);
        Assert.Contains(cluster.Log.All, static l => l.StartsWith("Warning: Refused a message from 127.0.0.1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Silo_does_not_start_when_it_has_another_key_than_its_cluster()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        cluster.Key = RandomNumberGenerator.GetBytes(32);

        var thrown = await Assert.ThrowsAsync<OrleansConfigurationException>(() => cluster.StartSiloAsync("s2"));

        Assert.Contains("cluster key", thrown.Message, StringComparison.Ordinal);
        Assert.Equal("s1", Assert.Single((await (await cluster.OpenTableAsync()).ReadAsync()).Active).Name);
        Assert.Equal("s1", await s1.Echo("a").Where());
    }

    [Fact]
    public async Task Call_fails_when_its_argument_is_too_large()
    {
        await using var cluster = new TestCluster();
        await cluster.StartSiloAsync();
        var client = await cluster.StartClientAsync();
        var parcel = new Parcel { Name = "big", Bytes = new byte[cluster.Options("x").MaxMessageBytes] };

        await Assert.ThrowsAnyAsync<OrleansException>(async () => await client.Echo("a").Echo(parcel, default));

        Assert.Equal(1, await client.Echo("a").Calls());
    }
}
