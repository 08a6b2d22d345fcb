using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Grains.Data;

/// <summary>What is asked of all gateways at once.</summary>
public sealed class ClusterSessionsGrainTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly PushedGateway _first = new() { Sessions = new() { Sessions = [FakeSession.NewInfo("s1")], Total = 1 } };
    private readonly PushedGateway _second = new() { Sessions = new() { Sessions = [FakeSession.NewInfo("s2")], Total = 3 } };
    private readonly ClusterSessionsGrain _grain;

    public ClusterSessionsGrainTests() => _grain = new ClusterSessionsGrain(FakeGrains.Of(_ => new Known(_first, _second)), _clock, NullLogger<ClusterSessionsGrain>.Instance);

    [Fact]
    public async Task Sessions_of_all_gateways_are_one_list()
    {
        var list = await _grain.List(new SessionQuery(), CancellationToken.None);
        Assert.Equal((2, 4, 0), (list.Sessions.Count, list.Total, list.Silent.Count));
    }

    [Fact]
    public async Task A_gateway_that_does_not_answer_is_named_and_not_waited_for()
    {
        _second.Sessions = null;
        var asking = _grain.List(new SessionQuery(), CancellationToken.None).AsTask();
        Assert.False(asking.IsCompleted);
        _clock.Advance(ClusterSessionsGrain.Patience);

        var list = await asking.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((1, "second"), (list.Sessions.Count, Assert.Single(list.Silent)));
    }

    [Fact]
    public async Task An_order_goes_to_whoever_has_the_session()
    {
        var id = _second.Sessions!.Sessions[0].SessionId;
        Assert.Equal(SessionMove.UnderWay, (await _grain.Move(id, "s1", CancellationToken.None)).Outcome);
        Assert.Equal(SessionMove.UnderWay, (await _grain.End(id, CancellationToken.None)).Outcome);
        Assert.Equal(id, Assert.Single((await _grain.Find(id, gateway: null, CancellationToken.None)).Sessions).SessionId);
        Assert.Empty((await _grain.Find(id, "first", CancellationToken.None)).Sessions);
        Assert.Equal(SessionMove.Unknown, (await _grain.End(Guid.NewGuid(), CancellationToken.None)).Outcome);
    }

    private sealed class Known(PushedGateway first, PushedGateway second) : IClusterGrain
    {
        public ValueTask<IReadOnlyList<KnownGateway>> GetGateways(CancellationToken cancellationToken)
            => ValueTask.FromResult<IReadOnlyList<KnownGateway>>([new() { Name = "first", Observer = first }, new() { Name = "second", Observer = second }]);

        public ValueTask<ViewVersion> ReportSilo(SiloReport report, ISiloObserver? observer, ViewVersion known, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ViewVersion> ReportGateway(GatewayReport report, IGatewayObserver? observer, ViewVersion known, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<CommandAnswer> Command(SiloCommand command, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ClusterView> GetView(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ClusterView> GetPart(string silo, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
