using CSsl.Tls.Engines.Managed;

namespace CSsl.Tls.Engines;

/// <summary>System.Security.Cryptography, one record after the other: always there, and what the other engines are compared with.</summary>
public sealed class ManagedEngine : IRecordEngine
{
    private ManagedEngine()
    {
    }

    /// <summary>The one that there is; it has no state.</summary>
    public static ManagedEngine Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "managed";

    /// <inheritdoc/>
    public int Lanes => 1;

    /// <inheritdoc/>
    public RecordKey CreateKey(in RecordKeyMaterial material) => ManagedKey.Create(material);

    /// <inheritdoc/>
    public void Run(Span<RecordJob> jobs)
    {
        foreach (ref var job in jobs)
        {
            if (job.Status != RecordJobStatus.Ready)
                continue;
            if (job.Key is not ManagedKey key)
                throw new ArgumentException("A key of another engine.", nameof(jobs));
            key.Run(ref job);
        }
    }

    /// <summary>Nothing to free.</summary>
    public void Dispose()
    {
    }
}
