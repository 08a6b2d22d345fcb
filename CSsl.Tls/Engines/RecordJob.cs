using System.Runtime.CompilerServices;

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

    /// <summary>Returns the key. For a job that will not be completed: one that was sealed and checked, or one whose connection is over. Can be called again.</summary>
    public void Release()
    {
        var key = Key;
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
