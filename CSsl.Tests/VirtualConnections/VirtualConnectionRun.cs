using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Gateway;
using CSsl.Tests.Silo;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Sessions;
using Xunit;
using RecordClient = CSsl.Tests.Tls.Records.TestClient;

namespace CSsl.Tests.VirtualConnections;

/// <summary>One script, run: the gateway as it is, over links that are lost, to silos as they are.</summary>
internal sealed class VirtualConnectionRun : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Script _script;
    private readonly TestSilo[] _silos;
    private readonly GatewayHarness _gateway;
    private readonly Sealer _sealer;
    private readonly SealedRecords _sealed;
    private readonly ExpectedResponses _responses;
    private readonly Lock _gate = new();
    private readonly List<LossyLink> _links = [];
    private readonly Guid _sessionId = Guid.NewGuid();
    private int _lost;
    private bool _isOver;

    public VirtualConnectionRun(Script script, params TestSilo[] silos)
    {
        (_script, _silos) = (script, silos);

        // The limit of losses without a step forward has tests of its own.
        _gateway = new GatewayHarness(new LimitsOptions { Takeovers = 100 }, silos[0].ClusterKey, "dev");
        _sealer = silos[0].NewSealer();
        _sealed = new SealedRecords(script.Suite, _sealer);
        _responses = new ExpectedResponses(script.Requests);
    }

    /// <summary>Links that were lost.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <summary>Takes over, moves, sleeps: whether a run of many scripts had all of it.</summary>
    public SessionCounts Counts => _gateway.Meters.Sessions.Read();

    public int Refused => _responses.Refused;

    /// <summary>How far it came, for a failure.</summary>
    public string Story => $"{_script}\n{_responses.Answered} answered, {_responses.Refused} of them refused, {Lost} links lost, {(WasReset ? "reset" : "not reset")}\n{string.Join('\n', _gateway.Log.Lines.Select(static line => line.Message))}";

    private bool HasLongRequest => _script.Requests.Any(static request => request.IsLong);

    public int KeyUpdates { get; private set; }

    public bool WasReset { get; private set; }

    public async Task RunAsync()
    {
        var handshakes = await _gateway.AddSiloAsync("handshake", SiloRoles.Handshake);
        foreach (var silo in _silos)
            Link(silo);
        var (connection, ended) = await ConnectAsync(handshakes);
        using var tls = new RecordClient(DirectSession.NewSession(_script.Suite, _script.EncryptThenMac));
        var client = new ScriptedClient(connection, tls, _sealed, _responses);
        var receiving = client.ReceiveAsync();
        try
        {
            await FollowAsync(client, receiving).WaitAsync(Patience);
            await client.CloseAsync().WaitAsync(Patience);
            await receiving.WaitAsync(Patience);
            await ended.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail("stuck");
        }

        (KeyUpdates, WasReset) = (client.KeyUpdates, connection.IsReset);
        CheckEnd(client);
    }

    public async ValueTask DisposeAsync()
    {
        LossyLink[] links;
        lock (_gate)
            (_isOver, links) = (true, [.. _links]);
        foreach (var link in links)
            await link.DisposeAsync().AsTask().WaitAsync(Patience);
        await _gateway.DisposeAsync().AsTask().WaitAsync(Patience);
        _sealer.Dispose();
    }

    /// <summary>After the links: what was sealed is known.</summary>
    public void CheckNonces() => _sealed.Check();

    private async Task FollowAsync(ScriptedClient client, Task receiving)
    {
        var asked = 0;
        foreach (var step in _script.Steps)
        {
            switch (step.Kind)
            {
                case StepKind.Ask or StepKind.AskAndDrain:
                    asked += step.Requests.Length;
                    var answered = _responses.WhenAnsweredAsync(asked);
                    var asking = client.AskAsync(step);
                    if (step.Kind == StepKind.AskAndDrain)
                        ForEachSession(static session => session.Drain());
                    if (await Task.WhenAny(answered, receiving) == receiving)
                    {
                        await receiving;
                        return;
                    }

                    if (await Task.WhenAny(asking, receiving) == asking)
                        await asking;
                    break;
                case StepKind.Sleep:
                    await SleepAsync(receiving);
                    break;
                case StepKind.Doze:
                    ForEachSession(static session => session.Hibernate(TimeSpan.Zero));
                    break;
                case StepKind.Drain:
                    ForEachSession(static session => session.Drain());
                    break;
                default:
                    await client.UpdateKeyAsync(step.IsRequested);
                    break;
            }
        }
    }

    // A silo has nothing to tell when a session could leave; its own sweep asks again and again as well.
    private async Task SleepAsync(Task receiving)
    {
        await Eventually.TrueAsync(
            () =>
            {
                ForEachSession(static session => session.Hibernate(TimeSpan.Zero));
                return receiving.IsCompleted || _gateway.Table.Find(1)?.Session?.State == ConnectionState.Asleep;
            },
            "the connection is asleep",
            Patience,
            TimeSpan.FromMilliseconds(1));
    }

    private void CheckEnd(ScriptedClient client)
    {
        var isWhole = _responses.Answered == _script.Requests.Count && _responses.IsAtBoundary;
        if (isWhole)
            return;

        Assert.False(_script.IsSafe, "the connection ended before its last response");

        Assert.True(Lost > 0, "nothing was lost, and yet the connection ended");

        // In order only between two responses, behind a 502 that says so, or because the request was longer than what is kept.
        Assert.True(WasReset || (_responses.IsAtBoundary && client.Alert == AlertDescription.CloseNotify), $"a short success, {client.Alert}");
        Assert.True(WasReset || _responses.IsClosing || HasLongRequest, "an end in order without a reason");
    }

    private void ForEachSession(Action<IServedSession> action)
    {
        foreach (var silo in _silos)
        {
            if (silo.Sessions.TryGet(_sessionId, out var session))
                action(session);
        }
    }

    /// <summary>A new run of a silo, as far as the gateway can tell.</summary>
    private void Link(TestSilo silo)
    {
        lock (_gate)
        {
            if (_isOver)
                return;
            var number = _links.Count;
            var link = new LossyLink(silo.LinkEndpoint, number < _script.Losses ? _script.PlanLoss(number) : LossPlan.Never, _sealed, () =>
            {
                Interlocked.Increment(ref _lost);
                Link(silo);
            });
            _links.Add(link);
            _gateway.Show(Reports.Silo(silo == _silos[0] ? "s1" : "s2", SiloRoles.Data, incarnation: Guid.NewGuid(), linkEndpoint: link.Endpoint));
        }
    }

    private async Task<(MemoryConnection Connection, Task Ended)> ConnectAsync(ScriptedSilo handshakes)
    {
        var (connection, ended) = _gateway.Connect();
        await connection.SendAsync(Walk.Hello);
        var channel = await handshakes.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        var attach = DirectSession.NewAttach(_silos[0], _sessionId, _script.Suite, _script.EncryptThenMac);
        channel.SendFrame(FrameKind.Established, new Established
        {
            Consumed = Walk.Hello.Length,
            SessionId = _sessionId,
            Capsule = attach.Capsule,
            ClientSequence = attach.ClientSequence,
            ServerSequence = attach.ServerSequence,
            Version = CipherSuiteInfo.Get(_script.Suite).Version,
            CipherSuite = _script.Suite,
            Resumed = false,
            Records = Walk.Tickets,
        }.Encode());
        await connection.ReadAsync(Walk.Tickets.Length);
        return (connection, ended);
    }
}
