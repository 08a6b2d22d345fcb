using CSsl.Tls;
using CSsl.Tls.Records;

namespace CSsl.Gateway.Records;

/// <summary>An alert record as it is before there are keys: all that a gateway can ever say to a client by itself.</summary>
internal static class PlaintextAlert
{
    /// <summary>Length of the record.</summary>
    public const int Size = RecordHeader.Size + 2;

    /// <summary>Writes a fatal alert (RFC 8446 section 6; the record's version is the frozen one of section 5.1).</summary>
    public static void Write(Span<byte> destination, AlertDescription alert)
    {
        new RecordHeader(ContentType.Alert, (ushort)TlsVersion.Tls12, 2).Write(destination);
        destination[RecordHeader.Size] = (byte)AlertLevel.Fatal;
        destination[RecordHeader.Size + 1] = (byte)alert;
    }
}
