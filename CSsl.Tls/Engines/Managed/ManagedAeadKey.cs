namespace CSsl.Tls.Engines.Managed;

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
