using System.Security.Cryptography;

namespace CSsl.Tls.Engines.Managed;

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
