using System.Security.Cryptography.X509Certificates;
using CSsl.Bench.Servers;

namespace CSsl.Bench;

/// <summary>Origin and contestants of one run, all up for the whole of it, in a folder that is removed after.</summary>
internal sealed class Arena : IAsyncDisposable
{
    private readonly Site _site;

    private Arena(Site site)
    {
        _site = site;
        OriginProcesses = CpuTime.Tree(site.OriginId);
        using X509Certificate2 leaf = site.LoadCertificate("ecdsa.crt");
        Certificate = leaf.RawData;
    }

    /// <summary>Who is measured, in the order of a round.</summary>
    public IReadOnlyList<IContestant> Contestants { get; private set; } = [];

    /// <summary>The certificate that all contestants present, in DER.</summary>
    public byte[] Certificate { get; }

    /// <summary>The process of the origin.</summary>
    public IReadOnlyList<int> OriginProcesses { get; }

    /// <summary>Starts all.</summary>
    /// <param name="withStaticFile">nginx serving a file takes part too.</param>
    /// <param name="settings">More of the command lines of `cssl up` and `cssl serve`.</param>
    public static async Task<Arena> StartAsync(bool withStaticFile, IReadOnlyList<string> settings)
    {
        Site site = await Site.StartAsync();
        try
        {
            var arena = new Arena(site);
            arena.Contestants = [
                await site.StartNginxAsync("proxy"),
                await site.StartCsslAsync("up", "up", settings),
                await site.StartCsslAsync("serve", "serve", settings),
                .. withStaticFile ? [await site.StartNginxAsync("static", isProxy: false)] : Array.Empty<IContestant>(),
            ];
            return arena;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>Measures every contestant once per round: A B C, A B C, …</summary>
    /// <param name="rounds">How many rounds.</param>
    /// <param name="work">Loads a contestant; returns the units done.</param>
    /// <param name="progress">Told each result.</param>
    public async Task<IReadOnlyList<Series>> MeasureAsync(int rounds, Func<IContestant, Task<double>> work, Action<string, Measurement> progress)
    {
        List<Measurement>[] measured = [.. Contestants.Select(_ => new List<Measurement>())];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < Contestants.Count; i++)
            {
                IContestant contestant = Contestants[i];
                Measurement measurement = await Measurement.TakeAsync(contestant.ProcessIds, OriginProcesses, () => work(contestant));
                measured[i].Add(measurement);
                progress(contestant.Name, measurement);
            }
        }

        return [.. Contestants.Zip(measured, (contestant, list) => new Series(contestant.Name, list))];
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _site.DisposeAsync();
}
