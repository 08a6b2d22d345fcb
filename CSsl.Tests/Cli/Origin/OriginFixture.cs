using System.Collections;
using CSsl.Cli.Origin;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli.Origin;

/// <summary>The sample origin on a real Kestrel, and a client for it.</summary>
public sealed class OriginFixture : IAsyncLifetime, IDisposable
{
    private SampleOrigin? _origin;

    public HttpClient Http { get; private set; } = null!;

    public Uri Address => _origin!.Address;

    public int H2cPort { get; } = Ports.Free(1)[0];

    public async ValueTask InitializeAsync()
    {
        _origin = await SampleOrigin.StartAsync(CsslConfiguration.Load([], new Hashtable()), 0, H2cPort);
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = _origin.Address };
    }

    public async ValueTask DisposeAsync() => await _origin!.DisposeAsync();

    public void Dispose() => Http.Dispose();
}
