using System.Security.Cryptography;
using CSsl.Cli.Certificates;
using CSsl.Hosting;

namespace CSsl.Cli.Up;

/// <summary>What a local cluster keeps between runs: certificates, keys, the database.</summary>
internal sealed class StateFolder
{
    private StateFolder(string path)
    {
        Path = path;
        Certificates = new DevelopmentCertificates(path, TimeProvider.System);
    }

    /// <summary>Full path of the folder.</summary>
    public string Path { get; }

    public DevelopmentCertificates Certificates { get; }

    /// <summary>Proves on links and the control plane that a process belongs to the cluster.</summary>
    public string ClusterKey => File("cluster.key");

    /// <summary>The ring of keys that seals sessions.</summary>
    public string SealingKey => File("sealing.key");

    public string Database => File("cluster.db");

    /// <summary>Where a running <c>cssl up</c> takes requests.</summary>
    public string ControlSocket => File("control.sock");

    /// <summary>Tells commands with <c>--state</c> where the cluster's admin endpoint is.</summary>
    public void WriteAdmin(string admin) => System.IO.File.WriteAllText(File("admin"), $"{admin}\n");

    /// <summary>What was told last; null when nobody has.</summary>
    public string? ReadAdmin()
    {
        try
        {
            return System.IO.File.ReadAllText(File("admin")).Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The folder, which need not exist.</summary>
    public static StateFolder At(string path) => new(System.IO.Path.GetFullPath(path));

    /// <summary>Makes the folder, readable by its owner only, if it is not there.</summary>
    public static StateFolder Create(string path)
    {
        var state = At(path);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(state.Path);
        else
            Directory.CreateDirectory(state.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return state;
    }

    /// <summary>Claims the folder for one running cluster.</summary>
    /// <returns>The claim: ends when disposed, and with the process.</returns>
    /// <exception cref="InUseException">Another one runs with it.</exception>
    public IDisposable Claim()
    {
        // The operating system drops the lock when its holder dies, however it dies.
        FileStream? claim = null;
        try
        {
            claim = new FileStream(File("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e)
        {
            throw new InUseException($"the state folder {Path} is in use by {Holder()}: stop it, or take another folder with --state", e);
        }

        System.IO.File.WriteAllText(File("pid"), $"{Environment.ProcessId}\n");
        return claim;
    }

    /// <summary>Makes the cluster's keys where they are missing.</summary>
    public void EnsureKeys()
    {
        if (!System.IO.File.Exists(ClusterKey))
            PrivateFile.Write(ClusterKey, NewKey());
        if (!System.IO.File.Exists(SealingKey))
            PrivateFile.Write(SealingKey, $"1:{NewKey()}");
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private string Holder()
    {
        try
        {
            return $"the process {System.IO.File.ReadAllText(File("pid")).Trim()}";
        }
        catch (IOException)
        {
            return "another process";
        }
    }

    private string File(string name) => System.IO.Path.Combine(Path, name);
}
