using System.Buffers;
using CSsl.Tls.Handshake;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>Runs the server's side of a handshake over a stream, as gateway and silo together do.</summary>
internal sealed class ServerDriver(Stream stream)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _buffered;
    private int _lastRecord;

    /// <summary>What arrived and is not consumed: the start of the data phase.</summary>
    public ReadOnlyMemory<byte> Remainder => _buffer.AsMemory(0, _buffered);

    /// <summary>Runs the handshake to its end.</summary>
    /// <exception cref="HandshakeFailedException">It failed; what was to be sent was sent.</exception>
    public async Task<ExportedSession> HandshakeAsync(IServerHandshakeFactory factory, string? serverName = "localhost")
    {
        using var handshake = factory.Create(new ClientHello { ServerName = serverName });
        while (true)
        {
            var output = new ArrayBufferWriter<byte>();
            var step = handshake.Advance(Remainder.Span, output);
            Consume(step.Consumed);
            if (step.Written > 0)
                await stream.WriteAsync(output.WrittenMemory);
            await stream.FlushAsync();

            switch (step.Status)
            {
                case HandshakeStatus.Complete:
                    return handshake.Export();
                case HandshakeStatus.Failed:
                    throw new HandshakeFailedException(step.Error!, output.WrittenMemory.ToArray());
                default:
                    if (!await FillAsync())
                        throw new EndOfStreamException("The client left during the handshake.");
                    break;
            }
        }
    }

    /// <summary>The next whole record, which stays valid until the next call; null at the end of the stream.</summary>
    public async Task<ReadOnlyMemory<byte>?> ReadRecordAsync()
    {
        Consume(_lastRecord);
        _lastRecord = 0;
        while (true)
        {
            if (_buffered >= RecordHeader.Size)
            {
                var length = RecordHeader.Size + ((_buffer[3] << 8) | _buffer[4]);
                if (_buffered >= length)
                {
                    _lastRecord = length;
                    return _buffer.AsMemory(0, length);
                }
            }

            if (!await FillAsync())
                return null;
        }
    }

    private async Task<bool> FillAsync()
    {
        var read = await stream.ReadAsync(_buffer.AsMemory(_buffered));
        _buffered += read;
        return read > 0;
    }

    private void Consume(int length)
    {
        _buffer.AsSpan(length, _buffered - length).CopyTo(_buffer);
        _buffered -= length;
    }
}

/// <summary>A handshake that ended with <see cref="HandshakeStatus.Failed"/>.</summary>
/// <param name="error">The step's error.</param>
/// <param name="lastFlight">What the last step wrote: the alert.</param>
internal sealed class HandshakeFailedException(string error, byte[] lastFlight) : Exception(error)
{
    public byte[] LastFlight { get; } = lastFlight;
}
