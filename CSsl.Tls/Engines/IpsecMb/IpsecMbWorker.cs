// The engine pins the jobs of a call, and writes no reference through a pointer.
#pragma warning disable CS8500

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>A manager and what it works in. One thread at a time; between two calls it holds no job and points at nobody's memory.</summary>
/// <remarks>
/// A lane works on one record, a block at a time, and all lanes of a kind at the same time. The library completes jobs in the order in which they
/// were submitted, so what a job in flight needs besides its record lies in a ring.
/// <para>MAC-then-encrypt. What is hashed must lie together, so the pseudo-header stands where the end of the IV belongs until the job is complete:</para>
/// <code>
///   +--------+---+-----------------+-----------+-----+---------+
///   | header | . | pseudo-header   | content   | MAC | padding |      the IV waits in the ring
///   +--------+---+-----------------+-----------+-----+---------+
///                  hashed --------------------        encrypted: content, MAC, padding
/// </code>
/// <para>Encrypt-then-MAC. There is no room before the IV, so a copy is hashed: <c>| pseudo-header | IV | ciphertext |</c> in the ring. Sealing, the
/// cipher writes its output there, and it is copied to its place.</para>
/// </remarks>
internal sealed unsafe class IpsecMbWorker(IpsecMbLibrary library) : IDisposable
{
    private const int PseudoHeaderLength = 13;
    private const int JobsInFlight = 256;

    // As many as fill the lanes of cipher and hash; more would only push the records out of the cache.
    private const int CopiesInFlight = 32;
    private const int MaxCiphertext = (1 << 14) + 2048;
    private const int CopyLength = (PseudoHeaderLength + CipherLengths.Block + MaxCiphertext + CipherLengths.MaxMac + 63) & ~63;
    private const int MacAt = CopyLength - CipherLengths.MaxMac;

    private readonly ImbManager _manager = library.CreateManager();
    private readonly ImbFunctions _functions = library.Functions;
    private readonly byte[] _ivs = GC.AllocateUninitializedArray<byte>(JobsInFlight * CipherLengths.Block, pinned: true);
    private byte[]? _copies;
    private uint _submitted;
    private int _inFlight;
    private bool _failed;

    /// <summary>True after a call of the library that did not do what it should: not to be used again.</summary>
    public bool IsBroken => _failed || _inFlight != 0;

    /// <summary>Runs a ChaCha20-Poly1305 job, which is complete when it was submitted.</summary>
    public void Run(ChaChaKey key, RecordJob* record)
    {
        var tag = stackalloc byte[CipherLengths.Tag];
        var seals = key.Direction == RecordDirection.Seal;
        var received = record->Text + record->CipherLength;
        var job = NextJob(record);
        job->EncryptionKeys = key.Key;
        job->KeyLength = 32;
        job->Source = record->Text;
        job->Destination = record->Destination;
        job->CipherOffset = 0;
        job->CipherLength = job->HashLength = (ulong)record->CipherLength;
        job->HashOffset = 0;
        job->Iv = (byte*)&record->Nonce;
        job->IvLength = CipherLengths.Nonce;
        job->Tag = seals ? received : tag;
        job->TagLength = CipherLengths.Tag;
        job->InnerStateOrAdditionalData = &record->AdditionalData;
        job->OuterStateOrAdditionalDataLength = (void*)record->AdditionalDataLength;
        job->CipherMode = ImbJob.CipherChaCha20Poly1305;
        job->Direction = seals ? ImbJob.Encrypt : ImbJob.Decrypt;
        job->Hash = ImbJob.HashChaCha20Poly1305;
        job->Order = seals ? ImbJob.CipherThenHash : ImbJob.HashThenCipher;
        var done = _functions.SubmitJob(_manager.Pointer);
        _inFlight--;
        if (done != job || done->Status != ImbJob.Completed)
            _failed = true;
        else if (seals || Tags.AreEqual(tag, received))
            record->Status = RecordJobStatus.Done;
        else
            record->Refuse();
    }

    /// <summary>Runs all jobs of one kind that are ready.</summary>
    public void Run(RecordJob* records, int count, CbcKind kind)
    {
        for (var i = 0; i < count; i++)
        {
            var record = records + i;
            if (record->Status != RecordJobStatus.Ready || record->Key is not CbcKey key || key.Kind != kind)
                continue;
            if (key.EncryptThenMac)
                SubmitEncryptThenMac(key, record);
            else
                SubmitMacThenEncrypt(key, record);
        }

        while (_inFlight > 0 && _functions.FlushJob(_manager.Pointer) is var done && done != null)
            Complete(done);
    }

    public void Dispose() => _manager.Dispose();

    private ImbJob* NextJob(RecordJob* record)
    {
        var job = _functions.GetNextJob(_manager.Pointer);
        job->UserData = record;
        job->ScatterGather = 0;
        _inFlight++;
        return job;
    }

    private void SubmitMacThenEncrypt(CbcKey key, RecordJob* record)
    {
        var iv = Pointer(_ivs) + _submitted++ % JobsInFlight * CipherLengths.Block;
        Vector128.Load(record->Text - CipherLengths.Block).Store(iv);
        var pseudoHeader = record->Text - PseudoHeaderLength;
        Copy((byte*)&record->AdditionalData, pseudoHeader, PseudoHeaderLength);

        var job = NextJob(record);
        Describe(job, key, record, iv);
        job->UserData2 = iv;
        job->Source = pseudoHeader;
        job->Destination = record->Text;
        job->CipherOffset = PseudoHeaderLength;
        job->HashOffset = 0;
        job->HashLength = (ulong)(PseudoHeaderLength + record->Length);
        job->Tag = record->Text + record->Length;
        job->Order = ImbJob.HashThenCipher;
        Submit();
    }

    private void SubmitEncryptThenMac(CbcKey key, RecordJob* record)
    {
        while (_inFlight == CopiesInFlight && _functions.FlushJob(_manager.Pointer) is var done && done != null)
            Complete(done);

        _copies ??= GC.AllocateUninitializedArray<byte>(CopiesInFlight * CopyLength, pinned: true);
        var copy = Pointer(_copies) + _submitted++ % CopiesInFlight * CopyLength;
        var text = copy + PseudoHeaderLength + CipherLengths.Block;
        var iv = record->Text - CipherLengths.Block;
        Copy((byte*)&record->AdditionalData, copy, PseudoHeaderLength);
        Vector128.Load(iv).Store(copy + PseudoHeaderLength);

        var job = NextJob(record);
        Describe(job, key, record, iv);
        job->UserData2 = copy;
        job->Source = record->Text;
        job->CipherOffset = 0;
        job->HashOffset = (ulong)(copy - record->Text);
        job->HashLength = (ulong)(PseudoHeaderLength + CipherLengths.Block + record->CipherLength);
        if (key.Direction == RecordDirection.Seal)
        {
            job->Destination = text;
            job->Tag = record->Text + record->CipherLength;
            job->Order = ImbJob.CipherThenHash;
        }
        else
        {
            Copy(record->Text, text, record->CipherLength);
            job->Destination = record->Destination;
            job->Tag = copy + MacAt;
            job->Order = ImbJob.HashThenCipher;
        }

        Submit();
    }

    private static void Describe(ImbJob* job, CbcKey key, RecordJob* record, byte* iv)
    {
        job->EncryptionKeys = key.EncryptionKeys;
        job->DecryptionKeys = key.DecryptionKeys;
        job->KeyLength = (ulong)key.KeyLength;
        job->CipherLength = (ulong)record->CipherLength;
        job->Iv = iv;
        job->IvLength = CipherLengths.Block;
        job->TagLength = (ulong)key.MacLength;
        job->InnerStateOrAdditionalData = key.InnerState;
        job->OuterStateOrAdditionalDataLength = key.OuterState;
        job->CipherMode = ImbJob.CipherCbc;
        job->Direction = key.Direction == RecordDirection.Seal ? ImbJob.Encrypt : ImbJob.Decrypt;
        job->Hash = key.MacLength == CipherLengths.MaxMac ? ImbJob.HashHmacSha384 : ImbJob.HashHmacSha256;
    }

    private void Submit()
    {
        var done = _functions.SubmitJob(_manager.Pointer);
        while (done != null)
        {
            Complete(done);
            done = _functions.GetCompletedJob(_manager.Pointer);
        }
    }

    private void Complete(ImbJob* job)
    {
        var record = (RecordJob*)job->UserData;
        var key = (CbcKey)record->Key!;
        _inFlight--;
        if (job->Status != ImbJob.Completed)
        {
            _failed = true;
            return;
        }

        if (!key.EncryptThenMac)
            Vector128.Load((byte*)job->UserData2).Store(record->Text - CipherLengths.Block);
        else if (key.Direction == RecordDirection.Seal)
            Copy(job->Destination, record->Text, record->CipherLength);
        else if (!CryptographicOperations.FixedTimeEquals(new ReadOnlySpan<byte>(job->Tag, key.MacLength), record->Tail(key.MacLength)))
        {
            record->Refuse();
            return;
        }

        record->Status = RecordJobStatus.Done;
    }

    private static byte* Pointer(byte[] pinned) => (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    private static void Copy(byte* source, byte* target, int length) => new ReadOnlySpan<byte>(source, length).CopyTo(new Span<byte>(target, length));
}
