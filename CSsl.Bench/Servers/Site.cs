using System.Security.Cryptography.X509Certificates;

namespace CSsl.Bench.Servers;

/// <summary>What every contestant of a run has in common: certificates, the origin, and a folder that is removed after.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cssl-bench-").FullName;
    private readonly Stack<IAsyncDisposable> _started = [];

    private Site()
    {
    }

    /// <summary>State folder with the certificates: ca.crt, ecdsa.crt, ecdsa.key, rsa.crt, rsa.key.</summary>
    public string Certificates => Folder("certificates");

    /// <summary>URL of the sample origin.</summary>
    public string OriginUrl { get; private set; } = "";

    /// <summary>Process id of the origin.</summary>
    public int OriginId { get; private set; }

    public static async Task<Site> StartAsync()
    {
        var site = new Site();
        try
        {
            await Cssl.MakeCertificatesAsync(site.Certificates);
            (ServerProcess origin, site.OriginUrl) = await Cssl.StartOriginAsync();
            site.OriginId = origin.Id;
            site._started.Push(origin);
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>A folder of that name in that of the run.</summary>
    public string Folder(string name) => Path.Combine(_folder, name);

    /// <summary>Starts a cluster in front of the origin.</summary>
    /// <param name="command">"up" or "serve".</param>
    /// <param name="name">Of its folder.</param>
    /// <param name="settings">More of the command line.</param>
    public async Task<Cssl> StartCsslAsync(string command, string name, params IEnumerable<string> settings)
        => Keep(await Cssl.StartAsync(command, Folder(name), Certificates, OriginUrl, settings));

    /// <summary>Starts nginx as a proxy to the origin, or with a static file.</summary>
    public async Task<Nginx> StartNginxAsync(string name, bool isProxy = true)
        => Keep(await Nginx.StartAsync(Folder(name), Certificates, isProxy ? OriginUrl : null));

    /// <summary>A certificate of <see cref="Certificates"/>; the caller's to dispose.</summary>
    public X509Certificate2 LoadCertificate(string file) => X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Certificates, file));

    /// <summary>What was started last ends first.</summary>
    public async ValueTask DisposeAsync()
    {
        while (_started.TryPop(out IAsyncDisposable? started))
            await started.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private T Keep<T>(T started)
        where T : IAsyncDisposable
    {
        _started.Push(started);
        return started;
    }
}
