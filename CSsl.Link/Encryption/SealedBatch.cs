namespace CSsl.Link;

/// <summary>What travels between processes once both ends are proven: whole frames, sealed together. The receiver buffers one batch at most, and opens it where it lies.</summary>
/// <remarks>
/// <code>
///  0        4                                   4 + length       20 + length
///  +--------+-----------------------------------+----------------+
///  | length | frames, encrypted (length bytes)  | tag            |
///  +--------+-----------------------------------+----------------+
///  little-endian; the length is authenticated too
/// </code>
/// </remarks>
internal static class SealedBatch
{
    public const int HeaderLength = sizeof(uint);
    public const int TagLength = Tls.Engines.MessageCipher.TagLength;

    /// <summary>What sealing adds to the frames of a batch.</summary>
    public const int Overhead = HeaderLength + TagLength;

    /// <summary>A batch that has so many bytes of frames gets no more of them; the last one may exceed it.</summary>
    public const int UsualFrames = 32 * 1024;

    /// <summary>The most bytes of frames, and there is one at least.</summary>
    public const int MaxFrames = UsualFrames + FrameHeader.Size + LinkChannel.MaxPayload;

    /// <summary>The longest there is.</summary>
    public const int MaxLength = MaxFrames + Overhead;
}
