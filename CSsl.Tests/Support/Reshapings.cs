using System.Buffers.Binary;

namespace CSsl.Tests.Support;

/// <summary>Sends the first bytes of a connection in segments of a given size, the rest as it comes.</summary>
internal sealed class TinySegments(int size, int firstBytes) : IReshaping
{
    private int _left = firstBytes;

    public IEnumerable<ReadOnlyMemory<byte>> Reshape(ReadOnlyMemory<byte> bytes)
    {
        while (_left > 0 && !bytes.IsEmpty)
        {
            int length = Math.Min(size, bytes.Length);
            _left -= length;
            yield return bytes[..length];
            bytes = bytes[length..];
        }

        if (!bytes.IsEmpty)
            yield return bytes;
    }
}

/// <summary>Collects whole records and hands them to a subclass.</summary>
internal abstract class RecordReshaping : IReshaping
{
    protected const byte ChangeCipherSpec = 20;
    protected const byte Handshake = 22;
    protected const byte ApplicationData = 23;

    private readonly List<byte> _partial = [];

    public IEnumerable<ReadOnlyMemory<byte>> Reshape(ReadOnlyMemory<byte> bytes)
    {
        bool atEnd = bytes.IsEmpty;
        _partial.AddRange(bytes.Span);
        List<byte[]> records = [];
        while (_partial.Count >= 5)
        {
            int length = 5 + BinaryPrimitives.ReadUInt16BigEndian([_partial[3], _partial[4]]);
            if (_partial.Count < length)
                break;
            records.Add([.. _partial[..length]]);
            _partial.RemoveRange(0, length);
        }

        return Records(records, atEnd);
    }

    /// <summary>Takes whole records and gives the segments to send.</summary>
    protected abstract IEnumerable<ReadOnlyMemory<byte>> Records(List<byte[]> records, bool atEnd);
}

/// <summary>Cuts the client's plaintext handshake records (those before ChangeCipherSpec) into records of a few bytes each (RFC 8446 section 5.1 allows it).</summary>
internal sealed class SmallHandshakeRecords(int size) : RecordReshaping
{
    private bool _encrypted;

    protected override IEnumerable<ReadOnlyMemory<byte>> Records(List<byte[]> records, bool atEnd)
    {
        foreach (byte[] record in records)
        {
            _encrypted |= record[0] is ChangeCipherSpec or ApplicationData;
            if (_encrypted)
            {
                yield return record;
                continue;
            }

            foreach (byte[] fragment in record[5..].Chunk(size))
                yield return (byte[])[.. record[..3], (byte)(fragment.Length >> 8), (byte)fragment.Length, .. fragment];
        }
    }
}

/// <summary>Holds the client's second flight back until its first request is there too, and sends both in one segment.</summary>
/// <param name="applicationRecords">Records of type 23 to wait for: 2 in TLS 1.3 (Finished wears that type), 1 in TLS 1.2.</param>
internal sealed class FinishedWithRequest(int applicationRecords) : RecordReshaping
{
    private readonly List<byte> _held = [];
    private bool _helloSent;
    private int _seen;

    protected override IEnumerable<ReadOnlyMemory<byte>> Records(List<byte[]> records, bool atEnd)
    {
        foreach (byte[] record in records)
        {
            if (!_helloSent || _seen >= applicationRecords)
            {
                _helloSent = true;
                yield return record;
                continue;
            }

            _held.AddRange(record);
            _seen += record[0] == ApplicationData ? 1 : 0;
            if (_seen == applicationRecords)
                yield return _held.ToArray();
        }

        if (atEnd && _seen < applicationRecords && _held.Count > 0)
            yield return _held.ToArray();
    }
}

/// <summary>Damages one of the client's encrypted records: flips a bit of its last byte.</summary>
/// <param name="applicationRecord">Which record of type 23, from 1. In TLS 1.3 the first is the Finished, the second the request.</param>
internal sealed class DamagedRecord(int applicationRecord) : RecordReshaping
{
    private int _seen;

    protected override IEnumerable<ReadOnlyMemory<byte>> Records(List<byte[]> records, bool atEnd)
    {
        foreach (byte[] record in records)
        {
            if (record[0] == ApplicationData && ++_seen == applicationRecord)
                record[^1] ^= 1;
            yield return record;
        }
    }
}

/// <summary>Sends bytes of its own after one of the client's encrypted records.</summary>
/// <param name="applicationRecord">Which record of type 23, from 1. In TLS 1.3 the first is the Finished, the second the request.</param>
/// <param name="bytes">What follows it.</param>
internal sealed class InjectedBytes(int applicationRecord, byte[] bytes) : RecordReshaping
{
    private int _seen;

    protected override IEnumerable<ReadOnlyMemory<byte>> Records(List<byte[]> records, bool atEnd)
    {
        foreach (byte[] record in records)
        {
            yield return record;
            if (record[0] == ApplicationData && ++_seen == applicationRecord)
                yield return bytes;
        }
    }
}
