using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CSsl.Cli.Sessions;
using CSsl.Grains.Data;
using CSsl.Tests.Support;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Silos whose key rings differ: for the time of a rotation, or by a mistake. Each is a process with a ring file of its own.</summary>
[Collection(WaitingForSilos.Name)]
public sealed class SealingKeyTests(TestCertificates certificates, ITestOutputHelper output) : IClassFixture<TestCertificates>, IAsyncLifetime
{
    private const int Clients = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _folder = new();
    private readonly Dictionary<char, string> _keys = new() { ['1'] = ClusterKeyRing.Generate("1"), ['2'] = ClusterKeyRing.Generate("2") };
    private readonly Dictionary<string, Tool> _silos = [];
    private StandaloneCluster _cluster = null!;
    private TestOrigin _origin = null!;
    private Tool _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _origin = await TestOrigin.StartAsync();
        _cluster = new StandaloneCluster("blue", _folder.File("cluster.db"), certificates);
        _gateway = _cluster.StartGateway();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _origin.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>In order; first everywhere at once; and the old key taken out before the others know the new one.</summary>
    [Theory]
    [InlineData("12", "21", "2")]
    [InlineData("21", "2")]
    [InlineData("2")]
    public async Task Rotation_loses_no_session_in_whatever_order_the_silos_get_their_rings(params string[] rings)
    {
        foreach (string name in new[] { "a", "b", "c" })
            await StartAsync(name, "1");
        await _cluster.ReadyAsync();
        using var over = new CancellationTokenSource();
        Task<int>[] old = [.. Enumerable.Range(0, Clients).Select(_ => FetchAsync(newConnections: false, over.Token))];
        Task<int> young = FetchAsync(newConnections: true, over.Token);

        foreach (string ring in rings)
        {
            foreach (string name in _silos.Keys)
            {
                int from = _silos[name].Output.Length;
                Write(name, ring);
                await _silos[name].Output.WaitForAsync("sealing keys, newest first: ", Patience, from);
                Assert.Equal(["Active", "Active", "Active"], (await SilosAsync()).Values.Select(static silo => silo.State));
            }
        }

        foreach (Tool silo in _silos.Values)
            await silo.Output.WaitForAsync("sealing under 2#", Patience);
        Assert.NotEqual(0, await FetchAsync(newConnections: true, CancellationToken.None, requests: 5));
        await over.CancelAsync();
        Assert.DoesNotContain(0, await Task.WhenAll(old));
        Assert.NotEqual(0, await young);
        foreach (Tool silo in _silos.Values)
            Assert.DoesNotContain("can't be opened here", silo.Output.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silo_that_lacks_the_key_is_not_ready_says_so_and_harms_nobody()
    {
        await StartAsync("a", "21");
        await StartAsync("b", "21");
        await _cluster.ReadyAsync();
        foreach (Tool silo in _silos.Values)
            await silo.Output.WaitForAsync("sealing under 2#", Patience);
        using var over = new CancellationTokenSource();
        Task<int>[] clients = [FetchAsync(newConnections: false, over.Token), FetchAsync(newConnections: true, over.Token)];

        int admin = Ports.Free(1)[0];
        Tool wrong = await StartAsync("c", "1", isReady: false, $"--Silo:Admin=127.0.0.1:{admin}");
        await wrong.Output.WaitForAsync("this silo can't serve the cluster, which seals under 2#", Patience);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{admin}") };
        using HttpResponseMessage ready = await http.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.StartsWith("Joining: the key ring lacks 2#", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await SilosAsync()).GetValueOrDefault("c") is { State: "Joining", Trouble: { } trouble } && trouble.StartsWith("the key ring lacks 2#", StringComparison.Ordinal), "the status tells");
        await FetchAsync(newConnections: true, CancellationToken.None, requests: 10);

        // Put right, it serves.
        Write("c", "21");
        await Eventually.TrueAsync(async () => (await SilosAsync())["c"].State == "Active", "the third silo is active", Patience);
        await FetchAsync(newConnections: true, CancellationToken.None, requests: 10);
        await over.CancelAsync();
        Assert.DoesNotContain(0, await Task.WhenAll(clients));
    }

    [Fact]
    public async Task Session_that_sleeps_is_sealed_anew_and_wakes_up_where_the_old_key_never_was()
    {
        await StartAsync("a", "1", more: "--Silo:HibernateAfter=200ms");
        await _cluster.ReadyAsync();
        int connections = 0;
        using HttpClient client = NewClient(() => connections++);
        Assert.Equal("hello", await client.GetStringAsync(new Uri("/", UriKind.Relative)));

        using var sessions = new SessionClient(_cluster.Admin.BaseAddress!.Authority);
        await Eventually.TrueAsync(
            async () => (await sessions.ListAsync(new SessionQuery(), CancellationToken.None)).Sessions.Any(static session => session.State == SessionState.Asleep), "the session sleeps", Patience);
        Write("a", "2");
        await _gateway.Output.WaitForAsync("1 sleeping connections wake up to be sealed anew: the cluster seals under 2#", Patience);
        await StartAsync("b", "2");
        ProcFs.Signal(_silos["a"].Id, ProcFs.SigTerm);
        await _silos["a"].ExitAsync();
        Assert.Equal("hello", await client.GetStringAsync(new Uri("/", UriKind.Relative)));
        Assert.Equal(1, connections);
    }

    [Fact]
    public async Task Silo_that_starts_after_a_rotation_resumes_the_sessions_of_older_ones()
    {
        await StartAsync("a", "1");
        await _cluster.ReadyAsync();
        foreach (string version in new[] { "-tls1_3", "-tls1_2" })
            await TalkAsync("New, TLSv1", version, "-sess_out", _folder.File(version));
        foreach (string ring in new[] { "12", "21", "2" })
        {
            int from = _silos["a"].Output.Length;
            Write("a", ring);
            await _silos["a"].Output.WaitForAsync("sealing keys, newest first: ", Patience, from);
            if (ring == "21")
                await _silos["a"].Output.WaitForAsync("sealing under 2#", Patience);
        }

        // A session without a ticket is kept under the key of its time: made by the older silo, after the rotation.
        string[] byId = ["-tls1_2", "-no_ticket"];
        await Eventually.TrueAsync(async () =>
        {
            await TalkAsync("New, TLSv1", [.. byId, "-sess_out", _folder.File("id")]);
            return (await TryAsync([.. byId, "-sess_in", _folder.File("id")])).Contains("Reused, TLSv1", StringComparison.Ordinal);
        }, "a session is stored", Patience);

        await StartAsync("b", "2");
        ProcFs.Signal(_silos["a"].Id, ProcFs.SigTerm);
        await _silos["a"].ExitAsync();
        await Eventually.TrueAsync(async () => (await SilosAsync()) is { Count: 1 } silos && silos.ContainsKey("b"), "the older silo is gone", Patience);
        await TalkAsync("Reused, TLSv1.3", "-tls1_3", "-sess_in", _folder.File("-tls1_3"));
        await TalkAsync("Reused, TLSv1.2", "-tls1_2", "-sess_in", _folder.File("-tls1_2"));
        await TalkAsync("Reused, TLSv1.2", [.. byId, "-sess_in", _folder.File("id")]);
    }

    /// <summary>Starts a silo with a ring of its own: of the keys of these names, newest first.</summary>
    private async Task<Tool> StartAsync(string name, string ring, bool isReady = true, params string[] more)
    {
        Write(name, ring);
        Tool silo = _cluster.StartSilo(name, keyFile: null,
        [
            $"--Cluster:SealingKeyFile={_folder.File(name)}",
            "--ReverseProxy:Routes:all:ClusterId=origin", "--ReverseProxy:Routes:all:Match:Path={**path}", $"--ReverseProxy:Clusters:origin:Destinations:origin:Address={_origin.Address}", .. more,
        ]);
        silo.Output.LineAdded += line => Show(name, line);
        _silos.Add(name, silo);
        if (isReady)
            await Eventually.TrueAsync(async () => (await SilosAsync()).GetValueOrDefault(name)?.State == "Active", $"{name} is active", Patience);
        return silo;
    }

    private void Show(string name, string line)
    {
        try
        {
            output.WriteLine($"{name}: {line}");
        }
        catch (InvalidOperationException)
        {
            // The test is over, and its processes end.
        }
    }

    // At once, as one should.
    private void Write(string name, string ring)
    {
        File.WriteAllText(_folder.File($"{name}.new"), string.Concat(ring.Select(key => _keys[key])));
        File.Move(_folder.File($"{name}.new"), _folder.File(name), overwrite: true);
    }

    /// <summary>Fetches until told to stop, or so often; returns how often. Each must succeed, and no connection may be lost.</summary>
    private async Task<int> FetchAsync(bool newConnections, CancellationToken over, int requests = int.MaxValue)
    {
        int connections = 0;
        using HttpClient client = NewClient(() => connections++);
        client.DefaultRequestHeaders.ConnectionClose = newConnections;
        int done = 0;
        for (; done < requests && !over.IsCancellationRequested; done++)
            Assert.Equal("hello", await client.GetStringAsync(new Uri("/", UriKind.Relative), CancellationToken.None));
        Assert.Equal(newConnections ? done : Math.Min(done, 1), connections);
        return done;
    }

    private HttpClient NewClient(Action connects)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = { CertificateChainPolicy = certificates.ChainPolicy },
            MaxConnectionsPerServer = 1,
            ConnectCallback = async (context, cancellation) =>
            {
                connects();
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, _cluster.Port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{_cluster.Port}"), Timeout = Patience };
    }

    private async Task<Dictionary<string, SiloLine>> SilosAsync()
    {
        try
        {
            using JsonDocument status = JsonDocument.Parse(await _cluster.Admin.GetStringAsync("status"));
            return status.RootElement.GetProperty("processes").EnumerateArray().Where(static process => process.GetProperty("kind").GetString() == "silo").ToDictionary(
                static process => process.GetProperty("name").GetString()!,
                static process => new SiloLine(process.GetProperty("state").GetString()!, process.TryGetProperty("trouble", out JsonElement trouble) ? trouble.GetString() : null));
        }
        catch (HttpRequestException)
        {
            return []; // The gateway does not listen yet.
        }
    }

    private async Task TalkAsync(string expected, params string[] arguments) => Assert.Contains(expected, await TryAsync(arguments), StringComparison.Ordinal);

    private async Task<string> TryAsync(params string[] arguments) => (await Tool.RunAsync("openssl",
    [
        "s_client", "-connect", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_cluster.Port}"), "-servername", "localhost", "-CAfile", certificates.AuthorityPath, "-ign_eof", .. arguments,
    ], SClient.Get("/"))).Output;

    private sealed record SiloLine(string State, string? Trouble);
}
