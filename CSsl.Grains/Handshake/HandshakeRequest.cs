namespace CSsl.Grains.Handshake;

/// <summary>Records of one connection for its lane.</summary>
/// <param name="HandshakeId">Whose they are; the first request with an id starts its handshake, and has its whole ClientHello.</param>
/// <param name="TimeLeft">How long the handshake may take from here; what its first request says holds.</param>
/// <param name="DataSilo">The data silo that is to have the session first; null when none is chosen. What its first request says holds.</param>
/// <param name="Records">Whole records.</param>
public readonly record struct HandshakeRequest(Guid HandshakeId, TimeSpan TimeLeft, string? DataSilo, ReadOnlyMemory<byte> Records);
