using System.Security.Cryptography.X509Certificates;
using CSsl.Bench.Servers;

namespace CSsl.Bench;

/// <summary>Origin and contestants of one run, all up for the whole of it, in a folder that is removed after.</summary>
internal sealed class Arena : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cssl-bench-").FullName;
    private readonly List<IContestant> _contestants = [];
    private ServerProcess? _origin;

    /// <summary>Who is measured, in the order of a round.</summary>
    public IReadOnlyList<IContestant> Contestants => _contestants;

    /// <summary>The certificate that all contestants present, in DER.</summary>
    public byte[] Certificate { get; private set; } = [];

    /// <summary>The process of the origin.</summary>
    public IReadOnlyList<int> OriginProcesses { get; private set; } = [];

    /// <summary>Starts all.</summary>
    /// <param name="withStaticFile">nginx serving a file takes part too.</param>
    /// <param name="settings">More of the command lines of `cssl up` and `cssl serve`.</param>
    public static async Task<Arena> StartAsync(bool withStaticFile, IReadOnlyList<string> settings)
    {
        var arena = new Arena();
        try
        {
            await arena.StartAllAsync(withStaticFile, settings);
            return arena;
        }
        catch
        {
            await arena.DisposeAsync();
            throw;
        }
    }

    /// <summary>Measures every contestant once per round: A B C, A B C, …</summary>
    /// <param name="rounds">How many rounds.</param>
    /// <param name="work">Loads a contestant; returns the units done.</param>
    /// <param name="progress">Told each result.</param>
    public async Task<IReadOnlyList<Series>> MeasureAsync(int rounds, Func<IContestant, Task<double>> work, Action<string, Measurement> progress)
    {
        List<Measurement>[] measured = [.. _contestants.Select(_ => new List<Measurement>())];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < _contestants.Count; i++)
            {
                IContestant contestant = _contestants[i];
                Measurement measurement = await Measurement.TakeAsync(contestant.ProcessIds, OriginProcesses, () => work(contestant));
                measured[i].Add(measurement);
                progress(contestant.Name, measurement);
            }
        }

        return [.. _contestants.Zip(measured, (contestant, list) => new Series(contestant.Name, list))];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (IContestant contestant in _contestants)
            await contestant.DisposeAsync();
        if (_origin is not null)
            await _origin.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAllAsync(bool withStaticFile, IReadOnlyList<string> settings)
    {
        string certificates = Folder("certificates");
        await Cssl.MakeCertificatesAsync(certificates);
        using (X509Certificate2 leaf = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(certificates, "ecdsa.crt")))
            Certificate = leaf.RawData;
        (_origin, string origin) = await Cssl.StartOriginAsync();
        OriginProcesses = CpuTime.Tree(_origin.Id);
        _contestants.Add(await Nginx.StartAsync(Folder("proxy"), certificates, origin));
        _contestants.Add(await Cssl.StartAsync("up", Folder("up"), certificates, origin, settings));
        _contestants.Add(await Cssl.StartAsync("serve", Folder("serve"), certificates, origin, settings));
        if (withStaticFile)
            _contestants.Add(await Nginx.StartAsync(Folder("static"), certificates, origin: null));
    }

    private string Folder(string name) => Path.Combine(_folder, name);
}
