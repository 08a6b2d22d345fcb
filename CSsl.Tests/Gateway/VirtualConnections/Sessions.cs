using CSsl.Link;
using CSsl.Tests.Link;
using CSsl.Tls.Handshake;

namespace CSsl.Tests.Gateway.VirtualConnections;

/// <summary>What silos say about sessions, and how they are given them.</summary>
internal static class Sessions
{
    /// <summary>The counts with which <see cref="Walk"/> ends a handshake.</summary>
    public const ulong ClientStart = 3;
    public const ulong ServerStart = 5;

    public static void Checkpoint(this TestChannel silo, ulong client, ulong server, params byte[] capsule)
        => silo.SendFrame(FrameKind.Checkpoint, new Checkpoint { ClientRecord = client, ServerRecord = server, Capsule = capsule }.Encode());

    public static void Detach(this TestChannel silo, ulong client, ulong server, DetachReason reason = DetachReason.Idle, params byte[] capsule)
        => silo.SendFrame(FrameKind.Detach, new Detach { ClientRecord = client, ServerRecord = server, Capsule = capsule, Reason = reason }.Encode());

    public static void Rekey(this TestChannel silo, ulong server, params byte[] capsule)
        => silo.SendFrame(FrameKind.Rekeyed, new Rekeyed { ServerRecord = server, Capsule = capsule }.Encode());

    public static void Attached(this TestChannel silo) => silo.SendFrame(FrameKind.Attached);

    /// <summary>The next session that a silo is given.</summary>
    public static async Task<(TestChannel Channel, Attach Attach)> NextSessionAsync(this ScriptedSilo silo)
    {
        var channel = await silo.NextAsync();
        return (channel, Attach.Decode(await channel.NextAsync(FrameKind.Attach)));
    }

    /// <summary>Completes when the gateway has read everything that was sent to it before: another client's handshake comes behind it.</summary>
    public static async Task HeardAsync(this GatewayHarness gateway, ScriptedSilo silo)
    {
        var other = gateway.Connect();
        await other.Connection.SendAsync(Walk.Hello);
        var handshake = await silo.TakeHelloAsync();
        await handshake.NextAsync(FrameKind.Handshake);
        handshake.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello, HandshakeFailure.Malformed));
        await other.Connection.ReadToEndAsync();
    }
}
