using Orleans;

namespace CSsl.Grains.Handshake;

/// <summary>The one holder of the cluster's ticket keys (key 0), which it rotates. Handshake silos ask it again and again; nobody waits for it.</summary>
[Alias("CSsl.ITicketKeyGrain")]
public interface ITicketKeyGrain : IGrainWithIntegerKey
{
    /// <summary>The keys as of now.</summary>
    [Alias("GetKeys"), ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<TicketKeyAnswer> GetKeys(CancellationToken cancellationToken);
}

/// <summary>The cluster's ticket keys; nothing in it is secret (the ring is sealed).</summary>
[GenerateSerializer, Immutable, Alias("CSsl.TicketKeyAnswer")]
public sealed record TicketKeyAnswer
{
    /// <summary>A <see cref="Tls.Handshake.TicketKeyRing"/>, sealed for the purpose that <see cref="ITicketKeyGrain"/> keeps rings under.</summary>
    [Id(0)] public required ReadOnlyMemory<byte> Ring { get; init; }

    /// <summary>Index of the key to issue under.</summary>
    [Id(1)] public required int Issuing { get; init; }
}

/// <summary>What is stored of the ticket keys.</summary>
[GenerateSerializer, Alias("CSsl.TicketKeyState")]
public sealed class TicketKeyState
{
    /// <summary>The sealed ring; empty before the first.</summary>
    [Id(0)] public byte[] Ring { get; set; } = [];
}
