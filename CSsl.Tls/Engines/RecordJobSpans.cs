using System.Runtime.InteropServices;

namespace CSsl.Tls.Engines;

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
