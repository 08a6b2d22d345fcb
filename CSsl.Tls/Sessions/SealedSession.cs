namespace CSsl.Tls.Sessions;

/// <summary>The capsule: an <see cref="ExportedSession"/> that only silos can open. Safe to store, copy and send.</summary>
public readonly record struct SealedSession(ReadOnlyMemory<byte> Bytes);
