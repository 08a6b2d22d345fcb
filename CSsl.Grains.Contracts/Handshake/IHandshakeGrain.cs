using Orleans;

namespace CSsl.Grains.Handshake;

/// <summary>
/// One lane of a handshake silo (key "silo/lane"): it is on the silo that its key names, from the moment that the silo gets the handshake role until it has let
/// go of it. The handshakes themselves are turns of the lane, and no calls (ADR 18).
/// </summary>
[Alias("CSsl.IHandshakeGrain")]
public interface IHandshakeGrain : IGrainWithStringKey
{
    /// <summary>Activates the lane: the silo has the handshake role.</summary>
    [Alias("Open"), ResponseTimeout(AtOnce)]
    ValueTask Open(CancellationToken cancellationToken);

    /// <summary>The silo has no handshake role any more: begins no handshake, forgets all connections, and deactivates.</summary>
    [Alias("Retire"), ResponseTimeout(AtOnce)]
    ValueTask Retire(CancellationToken cancellationToken);

    private const string AtOnce = "00:00:02";
}
