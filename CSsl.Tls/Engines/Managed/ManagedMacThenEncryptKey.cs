namespace CSsl.Tls.Engines.Managed;

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
