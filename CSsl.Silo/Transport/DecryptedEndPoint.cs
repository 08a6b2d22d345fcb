using System.Net;

namespace CSsl.Silo.Transport;

/// <summary>Where Kestrel listens for the connections that this silo decrypts: not an address, they come over the data links.</summary>
public sealed class DecryptedEndPoint : EndPoint
{
    public override string ToString() => "decrypted";
}
