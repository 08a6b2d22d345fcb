using System.Security.Cryptography;
using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Links;
using CSsl.Gateway.Metrics;
using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Link;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CSsl.Tests.Gateway;

/// <summary>A gateway without sockets, its silos scripted, its clock in the test's hand.</summary>
internal sealed class GatewayHarness : IAsyncDisposable
{
    private readonly ClusterViewHolder _view = new();
    private readonly List<ScriptedSilo> _silos = [];
    private readonly Lock _viewGate = new();
    private readonly List<SiloReport> _outside = [];
    private readonly LinkSetup _setup;
    private readonly GatewayMeters _meters;
    private readonly Deadlines _deadlines;
    private string? _sealingKey;
    private long _version;
    private bool _isStarted;

    /// <param name="limits">The defaults when omitted.</param>
    /// <param name="clusterKey">That of silos which are not scripted; a new one when omitted.</param>
    /// <param name="clusterId">The same for the cluster's id.</param>
    public GatewayHarness(LimitsOptions? limits = null, byte[]? clusterKey = null, string clusterId = "test")
    {
        Limits = limits ?? new LimitsOptions();

        // The links' clock stands still: a test that lets a client's deadline pass does not want silos to be thought hung.
        _setup = new LinkSetup(new LinkIdentity("gateway", clusterId), clusterKey ?? RandomNumberGenerator.GetBytes(32), new LinkOptions(), LinkClock, NullLogger.Instance, TestLinks.Engine);
        Links = new SiloLinks(_view, _setup, LinkLines, new Random(1));
        Table = new ConnectionTable(Limits.Connections);
        Admission = new HandshakeAdmission(Limits, _view, Clock);
        _meters = new GatewayMeters(Table, Admission);
        _deadlines = new Deadlines(Limits, Clock);
        HelloMemory = new HelloMemory(Limits.HelloMemory);
        Services = new ConnectionServices(Table, Admission, HelloMemory, Links, _deadlines, Limits, _meters, new RefusalLog(RefusalLines, _meters, Clock), Clock, Log);
    }

    public LimitsOptions Limits { get; }

    /// <summary>The clients' deadlines.</summary>
    public FakeTimeProvider Clock { get; } = new();

    /// <summary>The links' heartbeats and reconnects.</summary>
    public WatchedTimeProvider LinkClock { get; } = new();

    public RecordingLogger<RefusalLog> RefusalLines { get; } = new();

    public RecordingLogger<SiloLinks> LinkLines { get; } = new();

    public RecordingLogger<ClientConnection> Log { get; } = new();

    public ConnectionTable Table { get; }

    public HandshakeAdmission Admission { get; }

    public HelloMemory HelloMemory { get; }

    public SiloLinks Links { get; }

    public GatewayMeters Meters => _meters;

    public ConnectionServices Services { get; }

    /// <summary>A gateway without silos.</summary>
    public static GatewayHarness Start() => new();

    /// <summary>A gateway with one silo for both roles.</summary>
    public static async Task<(GatewayHarness Gateway, ScriptedSilo Silo)> WithSiloAsync(LimitsOptions? limits = null)
    {
        var gateway = new GatewayHarness(limits);
        return (gateway, await gateway.AddSiloAsync("silo"));
    }

    /// <summary>Adds a silo to the view and waits for the link with it.</summary>
    public async Task<ScriptedSilo> AddSiloAsync(string name, SiloRoles roles = SiloRoles.Handshake | SiloRoles.Data, double machineCpu = 0.1)
    {
        var silo = new ScriptedSilo(name, roles, _setup);
        _silos.Add(silo);
        string[] others = [.. _silos.Where(other => other != silo).Select(static other => other.Report.Name)];
        var role = roles.HasFlag(SiloRoles.Data) ? SiloRoles.Data : SiloRoles.Handshake;
        var up = WhenAsync(() => Links.Pick(role, others)?.Endpoint == silo.Report.LinkEndpoint);
        Publish(machineCpu);
        if (!_isStarted)
            await Links.StartAsync(CancellationToken.None);
        _isStarted = true;
        await up;
        await silo.Linked;
        return silo;
    }

    /// <summary>The data phase of a connection.</summary>
    public VirtualConnection Session(ulong id = 1) => Table.Find(id)!.Session!;

    /// <summary>Completes once the links are as the condition says.</summary>
    public async Task WhenAsync(Func<bool> condition)
    {
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Check()
        {
            if (condition())
                met.TrySetResult();
        }

        Links.Changed += Check;
        Check();
        await met.Task.WaitAsync(TestLinks.Patience);
        Links.Changed -= Check;
    }

    /// <summary>Shows the gateway a view in which the cluster seals under this key.</summary>
    public void SealUnder(string key)
    {
        _sealingKey = key;
        Publish(0.1);
    }

    /// <summary>Not started.</summary>
    public CapsuleRenewal NewRenewal() => new(_view, Table, Links, Clock, NullLogger<CapsuleRenewal>.Instance);

    /// <summary>Shows the gateway a view without these.</summary>
    public void Remove(ScriptedSilo silo)
    {
        _silos.Remove(silo);
        Publish(0.1);
    }

    /// <summary>Shows the gateway a silo that is not scripted, in the place of an earlier run of it. From any thread.</summary>
    public void Show(SiloReport silo)
    {
        lock (_viewGate)
        {
            _outside.RemoveAll(other => other.Name == silo.Name);
            _outside.Add(silo);
        }

        Publish(0.1);
    }

    /// <summary>A client connects.</summary>
    public TestClient Connect()
    {
        var connection = new MemoryConnection();
        connection.Features.Set(new ClientPlace(Table.Enter()));
        return new TestClient(connection, new GatewayConnectionHandler(Services).OnConnectedAsync(connection));
    }

    public async ValueTask DisposeAsync()
    {
        Table.ResetAll(RefusalReason.Stopping);
        await Links.StopAsync(CancellationToken.None);
        Links.Dispose();
        foreach (var silo in _silos)
            await silo.DisposeAsync();
        Admission.Dispose();
        _deadlines.Dispose();
        _meters.Dispose();
    }

    private void Publish(double newestCpu)
    {
        // Behind the gate, so that no view comes after a newer one.
        lock (_viewGate)
        {
            var scripted = _silos.Select((silo, i) => i == _silos.Count - 1 ? silo.Report with { Load = new SiloLoad { MachineCpu = newestCpu } } : silo.Report);
            _view.Update(Reports.View(++_version, [.. scripted, .. _outside]) with { SealingKey = _sealingKey });
        }
    }
}

/// <summary>A client and what became of its connection at the gateway.</summary>
/// <param name="Connection">The client's side.</param>
/// <param name="Ended">The gateway is done with it.</param>
internal sealed record TestClient(MemoryConnection Connection, Task Ended)
{
    public Task EndedAsync() => Ended.WaitAsync(TestLinks.Patience);
}
