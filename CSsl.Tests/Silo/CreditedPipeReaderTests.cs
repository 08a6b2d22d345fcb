using System.IO.Pipelines;
using CSsl.Silo.Transport;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class CreditedPipeReaderTests
{
    private readonly Pipe _pipe = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false, minimumSegmentSize: 16));
    private readonly List<int> _consumed = [];
    private readonly CreditedPipeReader _reader;
    private int _waits;

    public CreditedPipeReaderTests() => _reader = new CreditedPipeReader(_pipe.Reader, _consumed.Add, () => _waits++);

    [Fact]
    public async Task Consumed_bytes_are_told_once_over_segments_and_parts()
    {
        await _pipe.Writer.WriteAsync(new byte[100]);

        var read = await _reader.ReadAsync();
        _reader.AdvanceTo(read.Buffer.GetPosition(30));
        read = await _reader.ReadAsync();
        Assert.Equal(70, read.Buffer.Length);
        _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        await _pipe.Writer.WriteAsync(new byte[5]);
        read = await _reader.ReadAsync();
        _reader.AdvanceTo(read.Buffer.End);

        Assert.Equal([30, 75], _consumed);
    }

    [Fact]
    public async Task A_read_that_waits_is_told_too()
    {
        for (var i = 1; i <= 3; i++)
        {
            var waiting = _reader.ReadAsync();
            Assert.False(waiting.IsCompleted);
            Assert.Equal((true, i), (_reader.IsWaiting, _waits));
            await _pipe.Writer.WriteAsync(new byte[i]);
            var read = await waiting;
            Assert.False(_reader.IsWaiting);
            Assert.Equal(i, read.Buffer.Length);
            _reader.AdvanceTo(read.Buffer.End);
        }

        Assert.Equal([1, 2, 3], _consumed);
    }

    [Fact]
    public async Task A_cancelled_read_and_the_end_of_the_input_pass_through()
    {
        var waiting = _reader.ReadAsync();
        _reader.CancelPendingRead();
        var read = await waiting;
        Assert.True(read.IsCanceled);
        _reader.AdvanceTo(read.Buffer.End);

        await _pipe.Writer.WriteAsync(new byte[3]);
        Assert.True(_reader.TryRead(out read));
        _reader.AdvanceTo(read.Buffer.End);
        Assert.False(_reader.TryRead(out _));
        await _pipe.Writer.CompleteAsync();
        read = await _reader.ReadAsync();

        Assert.True(read.IsCompleted);
        Assert.Equal([3], _consumed);
    }

    [Fact]
    public async Task An_error_of_the_input_is_the_readers()
    {
        var waiting = _reader.ReadAsync();
        await _pipe.Writer.CompleteAsync(new IOException("gone"));

        await Assert.ThrowsAsync<IOException>(() => waiting.AsTask());
        await Assert.ThrowsAsync<IOException>(() => _reader.ReadAsync().AsTask());
    }
}
