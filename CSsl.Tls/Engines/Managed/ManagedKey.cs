using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CSsl.Tls.Engines.Managed;

/// <summary>A key in the hands of System.Security.Cryptography, which knows how to run a job.</summary>
internal abstract class ManagedKey : RecordKey
{
    public static ManagedKey Create(in RecordKeyMaterial material) => (material.Suite.IsAead, material.EncryptThenMac, material.Direction) switch
    {
        (true, _, var direction) => new ManagedAeadKey(AeadCipher.Create(material.Suite.Kind, material.Key), direction),
        (_, true, var direction) => new ManagedEncryptThenMacKey(material, direction),
        (_, _, RecordDirection.Seal) => new ManagedMacThenEncryptKey(material),
        _ => new ManagedDecryptThenVerifyKey(material),
    };

    /// <summary>Runs a job that is ready.</summary>
    public abstract void Run(ref RecordJob job);
}

/// <summary>AES-GCM and ChaCha20-Poly1305.</summary>
internal sealed class ManagedAeadKey(AeadCipher cipher, RecordDirection direction) : ManagedKey
{
    public override void Run(ref RecordJob job)
    {
        if (direction == RecordDirection.Seal)
        {
            cipher.Encrypt(job.Nonce(), job.Source(), job.Tail(CipherLengths.Tag), job.AdditionalData());
            job.Status = RecordJobStatus.Done;
            return;
        }

        job.Status = cipher.TryDecrypt(job.Nonce(), job.Source(), job.Tail(CipherLengths.Tag), job.Target(), job.AdditionalData())
            ? RecordJobStatus.Done
            : RecordJobStatus.NotAuthentic;
    }

    protected override void Wipe() => cipher.Dispose();
}

/// <summary>CBC with the MAC inside the encryption, sealing (RFC 5246 section 6.2.3.2).</summary>
internal sealed class ManagedMacThenEncryptKey(in RecordKeyMaterial material) : ManagedKey
{
    private readonly CbcCipher _cipher = new(material.Key, RecordDirection.Seal);
    private readonly RecordMac _mac = new(material.Suite, material.MacKey);

    public override void Run(ref RecordJob job)
    {
        var text = job.Source();
        _mac.Compute(job.AdditionalData(), text[..job.Length], text.Slice(job.Length, _mac.Length));
        _cipher.Transform(job.Iv(), text, text);
        job.Status = RecordJobStatus.Done;
    }

    protected override void Wipe()
    {
        _cipher.Dispose();
        _mac.Dispose();
    }
}

/// <summary>CBC with the MAC over the ciphertext (RFC 7366 section 3).</summary>
internal sealed unsafe class ManagedEncryptThenMacKey(in RecordKeyMaterial material, RecordDirection direction) : ManagedKey
{
    private readonly CbcCipher _cipher = new(material.Key, direction);
    private readonly RecordMac _mac = new(material.Suite, material.MacKey);

    public override void Run(ref RecordJob job)
    {
        var authenticated = new ReadOnlySpan<byte>(job.Text - CipherLengths.Block, CipherLengths.Block + job.CipherLength);
        var mac = job.Tail(_mac.Length);
        if (direction == RecordDirection.Seal)
        {
            _cipher.Transform(job.Iv(), job.Source(), job.Source());
            _mac.Compute(job.AdditionalData(), authenticated, mac);
            job.Status = RecordJobStatus.Done;
            return;
        }

        Span<byte> expected = stackalloc byte[_mac.Length];
        _mac.Compute(job.AdditionalData(), authenticated, expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, mac))
        {
            job.Refuse();
            return;
        }

        _cipher.Transform(job.Iv(), job.Source(), job.Target());
        job.Status = RecordJobStatus.Done;
    }

    protected override void Wipe()
    {
        _cipher.Dispose();
        _mac.Dispose();
    }
}

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

/// <summary>HMAC over a pseudo-header and what it describes. Its time depends on the length: not for data that hides a padding length.</summary>
internal sealed class RecordMac(CipherSuiteInfo suite, ReadOnlySpan<byte> key) : IDisposable
{
    private readonly IncrementalHash _hmac = IncrementalHash.CreateHMAC(suite.Hash, key);

    /// <summary>Bytes of a MAC.</summary>
    public int Length { get; } = suite.MacLength;

    /// <summary>Fills <paramref name="mac"/>, which is as long as a MAC is.</summary>
    public void Compute(ReadOnlySpan<byte> pseudoHeader, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        _hmac.AppendData(pseudoHeader);
        _hmac.AppendData(data);
        _hmac.GetHashAndReset(mac);
    }

    public void Dispose() => _hmac.Dispose();
}
