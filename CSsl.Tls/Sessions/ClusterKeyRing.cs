namespace CSsl.Tls.Sessions;

/// <summary>The sealing keys of a cluster, newest first, each with an id. Held by silos only.</summary>
public sealed class ClusterKeyRing : IDisposable
{
    /// <summary>Reads a ring from a key file: one key per line, newest first, "id:base64 of 32 bytes"; '#' starts a comment.</summary>
    /// <exception cref="FormatException">The text is not a ring: says which line and why.</exception>
    public static ClusterKeyRing Parse(string text) => throw new NotImplementedException();

    /// <summary>A key derived from the newest (HKDF-Expand, <paramref name="label"/> as info) for another purpose, such as the ticket keys.</summary>
    public SecretBytes Derive(string label, int length) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
