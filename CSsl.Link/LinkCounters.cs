namespace CSsl.Link;

/// <summary>What a link has done: "one system call carries records of many clients" is <c>RecordFramesSent / Sends</c>.</summary>
/// <param name="Sends">Writes to the transport.</param>
/// <param name="Receives">Reads from the transport that brought bytes.</param>
/// <param name="FramesSent">Frames of all kinds, after authentication.</param>
/// <param name="FramesReceived">Frames of all kinds, late ones included.</param>
/// <param name="RecordFramesSent">Frames of the kind Records.</param>
/// <param name="BytesSent">Bytes with frame headers.</param>
/// <param name="BytesReceived">Bytes with frame headers.</param>
public readonly record struct LinkCounters(long Sends, long Receives, long FramesSent, long FramesReceived, long RecordFramesSent, long BytesSent, long BytesReceived);
