using System.Buffers.Binary;

namespace CSsl.Tls.Engines.Managed;

/// <summary>CBC with the MAC inside the encryption, opening, in constant time. Every engine opens these records with this.</summary>
/// <remarks>
/// The padding is not authenticated, and where it ends decides where the MAC stands and how much is hashed. An attacker who can tell a bad
/// padding from a bad MAC, by the alert or by the time that it takes, decrypts cookies (Vaudenay 2002; Lucky Thirteen, AlFardan and Paterson 2013).
/// So this does the same work for every padding of a record of one length: no branch and no address depends on the plaintext until the record has
/// been found authentic. A multi-buffer library hashes a length that is known; it has no interface for one that is a secret.
/// </remarks>
internal sealed class ManagedDecryptThenVerifyKey : ManagedKey
{
    private readonly CbcCipher _cipher;
    private readonly ConstantTimeHmac _hmac;
    private readonly int _macLength;

    public ManagedDecryptThenVerifyKey(in RecordKeyMaterial material)
    {
        _cipher = new CbcCipher(material.Key, RecordDirection.Open);
        _hmac = ConstantTimeHmac.Create(material.Suite, material.MacKey);
        _macLength = material.Suite.MacLength;
    }

    public override void Run(ref RecordJob job)
    {
        var text = job.Target();
        _cipher.Transform(job.Iv(), job.Source(), text);
        if (TryAuthenticate(job.AdditionalData(), text, out var length))
        {
            job.Length = length;
            job.Status = RecordJobStatus.Done;
            return;
        }

        job.Refuse();
    }

    protected override void Wipe()
    {
        _cipher.Dispose();
        _hmac.Dispose();
    }

    /// <summary>Checks padding and MAC together; <paramref name="length"/> is a secret unless the answer is true.</summary>
    private bool TryAuthenticate(Span<byte> pseudoHeader, ReadOnlySpan<byte> text, out int length)
    {
        // A bad padding counts as none, so that there is a length to go on with (RFC 5246 section 6.2.3.2, implementation note).
        var paddingGood = CbcPadding.Check(text, _macLength, out var padding);
        length = text.Length - _macLength - padding;

        Span<byte> expected = stackalloc byte[_macLength];
        Span<byte> received = stackalloc byte[_macLength];
        BinaryPrimitives.WriteUInt16BigEndian(pseudoHeader[^sizeof(ushort)..], (ushort)length);
        _hmac.Compute(pseudoHeader, text, length, expected);
        CbcPadding.ExtractMac(text, length, received);

        var macGood = ConstantTime.AllEqual(expected, received);
        return (paddingGood & macGood) != 0;
    }
}
