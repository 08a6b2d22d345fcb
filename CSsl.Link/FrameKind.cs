namespace CSsl.Link;

/// <summary>What a frame on the data link means. G is the gateway, S the silo. Channel 0 is the link's own.</summary>
/// <remarks>
/// <code>
///  0        4         8      9     12
///  +--------+---------+------+------+----------------
///  | length | channel | kind | zero | payload (length bytes, at most 144 KiB)
///  +--------+---------+------+------+----------------
///  little-endian
/// </code>
/// </remarks>
public enum FrameKind : byte
{
    /// <summary>Channel 0, both: a challenge and who is speaking (LinkHello).</summary>
    Hello = 1,

    /// <summary>Channel 0, both: the proof of the cluster key.</summary>
    Proof = 2,

    /// <summary>Channel 0, both: the heartbeat; a time stamp to send back, and from a silo its load.</summary>
    Ping = 3,
    Pong = 4,

    /// <summary>Channel 0, S to G: no new channels, please; the ones under way go on.</summary>
    Goodbye = 5,

    /// <summary>G to S, opens a channel: a handshake begins (HandshakeStart).</summary>
    HandshakeStart = 16,

    /// <summary>G to S: whole TLS records of the client, those of its whole ClientHello first. One at a time: the next follows the answer (Flight or Established).</summary>
    Handshake = 17,

    /// <summary>S to G: how many input bytes were consumed, whether the handshake failed, and whole TLS records for the client.</summary>
    Flight = 18,

    /// <summary>S to G: as Flight, and the handshake is complete: the capsule (Established). The channel is closed by it.</summary>
    Established = 19,

    /// <summary>G to S, opens a channel: serve this session (Attach).</summary>
    Attach = 32,

    /// <summary>S to G: the capsule was opened and the session is served.</summary>
    Attached = 33,

    /// <summary>Both: one or more whole TLS records; from S with a prefix (<see cref="RecordsPrefix"/>). The only kind that uses credit, for its whole payload.
    /// Where a client sends what is no record, G passes on the header that breaks the rules (at most 5 bytes) and nothing after it: S has the keys for the alert.</summary>
    Records = 34,

    /// <summary>Both: credit given back, in bytes (u32).</summary>
    Window = 35,

    /// <summary>S to G: consumed up to client record n, sent up to server record m (Checkpoint). The channel goes on.</summary>
    Checkpoint = 36,

    /// <summary>S to G: a checkpoint, and the session is at rest (Detach): the channel is closed, the connection is not.</summary>
    Detach = 37,

    /// <summary>G to S: the client will send nothing more (FIN); the other direction goes on.</summary>
    Eof = 38,

    /// <summary>Both: the channel is closed (Close: a reason). From S: everything before it is to be delivered, then FIN, or a reset.</summary>
    Close = 39,

    /// <summary>S to G: a new capsule, valid once so many records are delivered (Rekeyed). Goes before the records of which the last is under the old key.</summary>
    Rekeyed = 40,

    /// <summary>S to G: what another silo needs to go on with the response that begins (ResponseNote): sealed, nothing to the gateway but bytes to keep until the next checkpoint.</summary>
    ResponseNote = 41,

    /// <summary>G to S: finish what is under way, then end with close_notify.</summary>
    Finish = 42,

    /// <summary>G to S: the session is to go on at that silo (MoveTarget): now, or at its next checkpoint (Detach).</summary>
    Move = 43,

    /// <summary>S to G: the session can go on at that silo (HandOver) in the middle of the response under way, as after the loss of this one: everything that was sealed was
    /// sent before this, and nothing is until G says <see cref="GoOn"/>. G answers with Close, and takes the session over there, or with GoOn.</summary>
    HandOver = 44,

    /// <summary>G to S: it can't be taken over, because not all records since the last checkpoint are kept. The channel goes on.</summary>
    GoOn = 45,
}
