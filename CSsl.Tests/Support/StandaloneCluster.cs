namespace CSsl.Tests.Support;

/// <summary>A silo with both roles and a gateway, each started as its service would start it: no <c>cssl up</c> above them. Several may share a folder's database.</summary>
internal sealed class StandaloneCluster : IAsyncDisposable
{
    private readonly TestCertificates _certificates;
    private readonly TempDirectory _folder;
    private readonly string _database;
    private readonly List<Tool> _processes = [];

    /// <param name="id">Cluster:Id, and what its processes' names begin with.</param>
    /// <param name="database">Cluster:Database.</param>
    /// <param name="certificates">For the handshakes.</param>
    public StandaloneCluster(string id, string database, TestCertificates certificates)
    {
        (Id, _database, _certificates) = (id, database, certificates);
        _folder = new TempDirectory();
        KeyFile = WriteKey("cluster.key");
        File.WriteAllText(_folder.File("sealing.key"), $"1:{NewKey()}\n");
        int[] ports = Ports.Free(2);
        (Port, Admin) = (ports[0], new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports[1]}/"), Timeout = TimeSpan.FromSeconds(10) });
    }

    public string Id { get; }

    /// <summary>Where clients connect.</summary>
    public int Port { get; }

    /// <summary>The gateway's admin endpoint.</summary>
    public HttpClient Admin { get; }

    /// <summary>The file with the cluster's key.</summary>
    public string KeyFile { get; }

    /// <summary>Another key, in a file.</summary>
    public string WriteKey(string name)
    {
        File.WriteAllText(_folder.File(name), NewKey());
        return _folder.File(name);
    }

    /// <summary>Starts a silo; its log is the tool's output.</summary>
    /// <param name="name">Silo:Name.</param>
    /// <param name="keyFile">Cluster:KeyFile, if it is another than the cluster's.</param>
    /// <param name="more">More of the command line: the last one of a setting counts.</param>
    public Tool StartSilo(string name, string? keyFile = null, params string[] more) => Start("CSsl.Silo",
    [
        .. Common(keyFile), $"--Silo:Name={name}", $"--Cluster:SealingKeyFile={_folder.File("sealing.key")}",
        "--Certificates:0:Names=localhost", $"--Certificates:0:Certificate={_certificates.Rsa.CertificatePath}", $"--Certificates:0:Key={_certificates.Rsa.KeyPath}", .. more,
    ]);

    /// <summary>Starts the gateway.</summary>
    /// <param name="keyFile">Cluster:KeyFile, if it is another than the cluster's.</param>
    /// <param name="more">More of the command line: the last one of a setting counts.</param>
    public Tool StartGateway(string? keyFile = null, params string[] more) => Start("CSsl.Gateway",
        [.. Common(keyFile), $"--Gateway:Name={Id}-gateway", $"--Gateway:Listen=127.0.0.1:{Port}", $"--Gateway:Admin={Admin.BaseAddress!.Authority}", .. more]);

    /// <summary>Completes when the gateway says that a client would be served.</summary>
    public Task ReadyAsync() => Eventually.TrueAsync(IsReadyAsync, $"{Id} is ready", TimeSpan.FromSeconds(60));

    /// <summary>What the gateway's /readyz says.</summary>
    public Task<bool> IsReadyAsync() => AskAsync("readyz");

    /// <summary>What its /livez says.</summary>
    public Task<bool> IsAliveAsync() => AskAsync("livez");

    private async Task<bool> AskAsync(string page)
    {
        try
        {
            using HttpResponseMessage answer = await Admin.GetAsync(page);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // It does not listen yet.
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Tool process in _processes)
            await process.DisposeAsync();
        Admin.Dispose();
        _folder.Dispose();
    }

    private static string NewKey() => Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));

    private IEnumerable<string> Common(string? keyFile)
        => [$"--Cluster:Id={Id}", $"--Cluster:Database={_database}", $"--Cluster:KeyFile={keyFile ?? KeyFile}", "--WatchParent=true"];

    private Tool Start(string program, IEnumerable<string> arguments)
    {
        Tool process = Tool.Start("dotnet", [Repository.Program(program), .. arguments], deadline: TimeSpan.FromMinutes(5), mergeError: true);
        _processes.Add(process);
        return process;
    }
}
