using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace CSsl.Tls.Engines;

/// <summary>
/// One record to seal or to open, as an engine sees it: a key, a nonce, what is authenticated beside the text, and where the text lies. A value
/// in an array of the caller; used again for record after record. The states of a connection prepare and complete it
/// (<see cref="Records.RecordWriteState.Prepare"/>, <see cref="Records.RecordReadState.Prepare"/>); everything about TLS is theirs.
/// </summary>
/// <remarks>
/// <para>A job points at the memory of its record, and an engine does not pin it: from prepare to complete the memory must neither move nor be
/// collected. So the caller keeps it in an array of the pinned heap (<c>GC.AllocateUninitializedArray&lt;byte&gt;(length, pinned: true)</c>), or in
/// native memory, or pinned otherwise, and keeps a reference to it; a buffer that grows by copying must not do so with jobs prepared in it.</para>
/// <para>A job holds a lease on its key. Every job that was prepared must be completed or released, or the key is never wiped.</para>
/// <code>
///                                        Text                      Destination
///   AEAD, seal           header, nonce | Length of text | tag      = Text
///   AEAD, open           header, nonce | Length of text | tag      Length
///   MAC-then-encrypt     header, IV    | Length of content, MAC, padding: CipherLength in all
///   encrypt-then-MAC     header, IV    | CipherLength (= Length: content, padding) | MAC
/// </code>
/// </remarks>
public unsafe struct RecordJob
{
    /// <summary>Null when there is nothing to run.</summary>
    internal RecordKey? Key;

    /// <summary>Where the text of the record lies; an IV of CBC stands before it, a tag or outer MAC behind it.</summary>
    internal byte* Text;

    /// <summary>Where the text goes: opening, <see cref="CipherLength"/> bytes elsewhere; sealing, in place.</summary>
    internal byte* Destination;

    /// <summary>Bytes that are encrypted.</summary>
    internal int CipherLength;

    /// <summary>Bytes of the text that an inner MAC covers (sealing), else as many as are encrypted. Opening with an inner MAC: set by the engine.</summary>
    internal int Length;

    /// <summary>AEAD: 12 bytes.</summary>
    internal Bytes16 Nonce;

    /// <summary>Additional data of an AEAD, or what stands first under the HMAC (opening with an inner MAC: the engine puts the length in).</summary>
    internal Bytes16 AdditionalData;

    /// <summary>5 (TLS 1.3) or 13.</summary>
    internal int AdditionalDataLength;

    /// <summary>Which key of its state, counted from 0, the job was prepared with.</summary>
    internal uint Generation;

    /// <summary>Whole record, for the state that prepared it to look at again.</summary>
    internal byte* Record;
    internal int RecordLength;

    /// <summary>Where it stands.</summary>
    public RecordJobStatus Status { get; internal set; }

    /// <summary>Bytes of the record on the wire: what a job contributes to a batch.</summary>
    public readonly int Bytes => RecordLength;

    /// <summary>What its key is to the engine; null when there is nothing to run. Two jobs of one key belong to one connection and direction.</summary>
    public readonly RecordKey? RecordKey => Key;

    /// <summary>Returns the key. For a job that will not be completed: one that was sealed and checked, or one whose connection is over. Text that was to be sealed and was not is
    /// wiped: it is plaintext, or a part of it is, in a buffer of what is sent. Can be called again.</summary>
    public void Release()
    {
        var key = Key;
        if (key is not null && Status == RecordJobStatus.Ready && Destination == Text)
            CryptographicOperations.ZeroMemory(new Span<byte>(Text, CipherLength));
        Key = null;
        Status = RecordJobStatus.Idle;
        key?.Return();
    }

    /// <summary>It is not authentic: what was decrypted is wiped.</summary>
    internal void Refuse()
    {
        new Span<byte>(Destination, CipherLength).Clear();
        Status = RecordJobStatus.NotAuthentic;
    }

    [InlineArray(16)]
    internal struct Bytes16
    {
        private byte _first;
    }
}

/// <summary>Where a job stands.</summary>
public enum RecordJobStatus : byte
{
    /// <summary>Nothing for an engine to do: not prepared, released, or a record that is refused for its form alone. Engines pass over it.</summary>
    Idle,

    /// <summary>Prepared; the next engine call that it is given to runs it.</summary>
    Ready,

    /// <summary>Sealed, or found authentic and decrypted.</summary>
    Done,

    /// <summary>Opened, and not authentic. Where the plaintext would be there are zeros.</summary>
    NotAuthentic,
}

/// <summary>The memory that a job points at, as spans: for code that is not about pointers.</summary>
internal static unsafe class RecordJobSpans
{
    public static Span<byte> Nonce(this ref RecordJob job) => MemoryMarshal.CreateSpan(ref job.Nonce[0], CipherLengths.Nonce);

    public static Span<byte> AdditionalData(this ref RecordJob job) => MemoryMarshal.CreateSpan(ref job.AdditionalData[0], job.AdditionalDataLength);

    /// <summary>The IV of CBC, before the text.</summary>
    public static Span<byte> Iv(this in RecordJob job) => new(job.Text - CipherLengths.Block, CipherLengths.Block);

    /// <summary>All that is encrypted, where it comes from.</summary>
    public static Span<byte> Source(this in RecordJob job) => new(job.Text, job.CipherLength);

    /// <summary>All that is encrypted, where it goes to.</summary>
    public static Span<byte> Target(this in RecordJob job) => new(job.Destination, job.CipherLength);

    /// <summary>What stands behind the text: a tag or an outer MAC.</summary>
    public static Span<byte> Tail(this in RecordJob job, int length) => new(job.Text + job.CipherLength, length);
}
