using System.Collections;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using CSsl.Grains.Data;
using CSsl.Hosting.Configuration;
using CSsl.Silo;
using CSsl.Silo.Links;
using CSsl.Tests.Support;
using CSsl.Tls.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CSsl.Tests.Silo;

/// <summary>A whole silo in the test process, as its own program would start it, with an origin behind it and a gateway before it.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    /// <summary>Any wait in these tests that takes longer is a failure.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempDirectory _folder;
    private readonly string _sealingKeys;
    private readonly X509Trust _trust;
    private readonly byte[] _clusterKey;
    private bool _isPeer;

    private TestSilo(TempDirectory folder, string sealingKeys, byte[] clusterKey, X509Trust trust, TestOrigin origin, WebApplication application, TestGateway gateway)
    {
        (_folder, _sealingKeys, _clusterKey, _trust) = (folder, sealingKeys, clusterKey, trust);
        (Origin, Application, Gateway) = (origin, application, gateway);
    }

    public TestOrigin Origin { get; }

    public WebApplication Application { get; }

    public TestGateway Gateway { get; }

    public SessionTable Sessions => Application.Services.GetRequiredService<SessionTable>();

    /// <summary>What a gateway must know.</summary>
    public byte[] ClusterKey => _clusterKey;

    /// <summary>Its key ring, as in the file.</summary>
    public string SealingKeys => _sealingKeys;

    public string LinkEndpoint => EndpointOf(Application);

    /// <summary>Seals as another silo of the cluster would.</summary>
    /// <param name="age">So long ago.</param>
    public Sealer NewSealer(TimeSpan age = default)
        => new(new SharedKeyRing(ClusterKeyRing.Parse(_sealingKeys)), new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow - age));

    public static async Task<TestSilo> StartAsync(TestCertificates certificates, params string[] arguments)
    {
        var folder = new TempDirectory();
        return await StartAsync(certificates, folder, await TestOrigin.StartAsync(), [.. WriteConfiguration(folder, certificates), .. arguments]);
    }

    /// <summary>Another silo of the same cluster, with the same origin, to be disposed first.</summary>
    public Task<TestSilo> StartPeerAsync(TestCertificates certificates, params string[] arguments)
        => StartAsync(certificates, _folder, Origin, [.. Arguments(certificates), "--Silo:Name=s2", .. arguments], isPeer: true);

    private static async Task<TestSilo> StartAsync(TestCertificates certificates, TempDirectory folder, TestOrigin origin, string[] arguments, bool isPeer = false)
    {
        string[] own =
        [
            $"--ReverseProxy:Clusters:origin:Destinations:one:Address={origin.Address}",
            "--ReverseProxy:Routes:all:ClusterId=origin", "--ReverseProxy:Routes:all:Match:Path={**path}",
        ];
        var loaded = CsslConfiguration.Load([.. own, .. arguments], new Hashtable(), folder.Path);
        var clusterKey = Convert.FromBase64String(await File.ReadAllTextAsync(folder.File("cluster.key")));
        var sealingKeys = await File.ReadAllTextAsync(folder.File("sealing.keys"));
        var builder = CsslConfiguration.CreateBuilder(loaded);
        builder.Settings().Silo.Link = $"inproc:{Guid.NewGuid()}";
        builder.AddCsslSilo();
        var application = builder.Build();
        await application.StartAsync();
        var gateway = await TestGateway.ConnectAsync(EndpointOf(application), loaded.Settings.Cluster.Id, clusterKey);
        return new TestSilo(folder, sealingKeys, clusterKey, new X509Trust(certificates), origin, application, gateway) { _isPeer = isPeer };
    }

    /// <summary>Writes the key files of a cluster; returns the settings of a silo with both roles.</summary>
    public static string[] WriteConfiguration(TempDirectory folder, TestCertificates certificates)
    {
        File.WriteAllText(folder.File("cluster.key"), Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        File.WriteAllText(folder.File("sealing.keys"), $"k1:{Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}\n");
        return Arguments(certificates);
    }

    private static string[] Arguments(TestCertificates certificates) =>
        [
            "--Cluster:KeyFile=cluster.key", "--Cluster:SealingKeyFile=sealing.keys", "--Cluster:Database=cluster.db", "--Silo:Name=s1",
            $"--Certificates:0:Names:0=localhost", $"--Certificates:0:Certificate={certificates.Ecdsa.CertificatePath}", $"--Certificates:0:Key={certificates.Ecdsa.KeyPath}",
            "--Logging:LogLevel:Default=None",
        ];

    /// <summary>The origin answers nothing until the request is aborted.</summary>
    /// <returns>The first request reached it; it was aborted.</returns>
    public (Task Reached, Task Aborted) HoldRequests()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Origin.Handler = async context =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            aborted.TrySetResult();
        };
        return (reached.Task.WaitAsync(Patience), aborted.Task.WaitAsync(Patience));
    }

    /// <summary>The origin reads every request to its end, and answers with a text.</summary>
    public void AnswerUploads(string text) => Origin.Handler = async context =>
    {
        await context.Request.Body.CopyToAsync(Stream.Null);
        await context.Response.WriteAsync(text);
    };

    /// <summary>The origin answers with a text once it is told to.</summary>
    /// <returns>The first request reached it; what lets it go on.</returns>
    public (Task Reached, TaskCompletionSource Go) HoldAnswers(string text)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Origin.Handler = async context =>
        {
            reached.TrySetResult();
            await go.Task;
            await context.Response.WriteAsync(text);
        };
        return (reached.Task.WaitAsync(Patience), go);
    }

    /// <summary>Another gateway on a link of its own.</summary>
    public Task<TestGateway> ConnectGatewayAsync() => TestGateway.ConnectAsync(LinkEndpoint, "dev", _clusterKey);

    /// <summary>A client whose every connection goes through the gateway.</summary>
    public HttpClient NewHttpClient(Version? version = null, SslProtocols protocols = SslProtocols.None, Action<GatewayChannel>? attached = null) => new(NewHandler(protocols, attached))
    {
        BaseAddress = new Uri("https://localhost/"),
        DefaultRequestVersion = version ?? new Version(1, 1),
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = Patience,
    };

    public SocketsHttpHandler NewHandler(SslProtocols protocols = SslProtocols.None, Action<GatewayChannel>? attached = null) => new()
    {
        ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(Gateway.Accept(attached)),
        SslOptions = _trust.Options(protocols),
        UseProxy = false,
        AllowAutoRedirect = false,
    };

    /// <summary>A TLS connection, for tests that write HTTP themselves.</summary>
    public async Task<(SslStream Tls, ClientStream Tcp)> ConnectAsync(Action<GatewayChannel>? attached = null, SslProtocols protocols = SslProtocols.None)
    {
        var tcp = Gateway.Accept(attached);
        var tls = new SslStream(tcp);
        await tls.AuthenticateAsClientAsync(_trust.Options(protocols)).WaitAsync(Patience);
        return (tls, tcp);
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Application.StopAsync();
        await Application.DisposeAsync();
        if (_isPeer)
            return;
        await Origin.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    private static string EndpointOf(WebApplication application) => application.Services.GetRequiredService<SiloLinks>().Endpoint;

    private sealed class X509Trust(TestCertificates certificates)
    {
        public SslClientAuthenticationOptions Options(SslProtocols protocols) => new()
        {
            TargetHost = "localhost",
            EnabledSslProtocols = protocols,
            CertificateChainPolicy = certificates.ChainPolicy,
        };
    }
}
