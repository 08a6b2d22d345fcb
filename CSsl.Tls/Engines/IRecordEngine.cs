namespace CSsl.Tls.Engines;

/// <summary>Seals and opens records: many of them, of any connections, suites and directions, in one call.</summary>
/// <remarks>
/// Thread-safe: calls on several threads run beside each other, each with a worker (SIMD manager, scratch memory) of its own. But one
/// <see cref="RecordKey"/> must not be in two calls at once: whoever runs jobs has the directions they belong to for itself.
/// </remarks>
public interface IRecordEngine : IDisposable
{
    /// <summary>For status pages and logs: "managed", "ipsec-mb 1.3.0 (AVX512)".</summary>
    string Name { get; }

    /// <summary>How many records of one CBC suite it works on at the same time; 1: one after the other.</summary>
    int Lanes { get; }

    /// <summary>Expands a key.</summary>
    RecordKey CreateKey(in RecordKeyMaterial material);

    /// <summary>Runs every job that is <see cref="RecordJobStatus.Ready"/>, in whatever order is best, and passes over the others. When it returns,
    /// each of them is <see cref="RecordJobStatus.Done"/> or <see cref="RecordJobStatus.NotAuthentic"/>, whatever happened to its neighbours.</summary>
    /// <param name="jobs">As many as there are; their keys were made by this engine. Allocates nothing.</param>
    /// <exception cref="ArgumentException">A key of another engine.</exception>
    /// <exception cref="RecordEngineException">The engine itself failed: no record of the call may be sent or trusted, what was to be sealed may still be plaintext.</exception>
    void Run(Span<RecordJob> jobs);
}

/// <summary>An engine can't be had, or failed at work. Nobody's protocol error: no alert belongs to it but internal_error.</summary>
public sealed class RecordEngineException(string message) : Exception(message);
