using System.Text;
using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tls.Records;
using Microsoft.Extensions.Logging;
using Xunit;

namespace CSsl.Tests.Link;

public sealed class LinkBatchingTests : IAsyncLifetime, IDisposable
{
    private readonly TestRunner _runner = new();
    private readonly List<(TestChannel Gateway, TlsChannel Silo)> _channels = [];
    private readonly Acceptor _acceptor = new();
    private DataLink? _gateway;
    private DataLink? _silo;
    private Task<LinkException>? _siloEnd;

    [Fact]
    public async Task Turns_that_wait_are_sealed_by_one_call_and_leave_in_one_write()
    {
        const int Channels = 40;
        await OpenAsync(Channels);
        _runner.Holds = true;
        _channels[0].Silo.SendText("0");
        var sends = _silo!.Counters.Sends;
        foreach (var (_, silo) in _channels)
            silo.SendText("more");

        await _runner.ReleaseAsync();

        for (var i = 0; i < Channels; i++)
        {
            var (gateway, silo) = _channels[i];
            Assert.Equal(i == 0 ? "0more" : "more", await ReadAsync(gateway, silo, i == 0 ? 2 : 1));
        }

        Assert.Equal([1, Channels], _runner.Batches);
        Assert.Equal(2, _silo.Counters.Sends - sends);
    }

    [Fact]
    public async Task A_turn_that_throws_takes_its_records_with_it_and_nobody_elses()
    {
        await OpenAsync(3);
        _runner.Holds = true;
        _channels[0].Silo.SendText("first");
        _channels[1].Silo.AfterFill = static _ => throw new InvalidOperationException("as the test wants it");
        _channels[1].Silo.SendText("never");
        _channels[2].Silo.SendText("sound");

        await _runner.ReleaseAsync();

        Assert.Equal("first", await ReadAsync(_channels[0].Gateway, _channels[0].Silo));
        Assert.Equal("sound", await ReadAsync(_channels[2].Gateway, _channels[2].Silo));
        Assert.Equal(CloseReason.Aborted, await _channels[1].Gateway.NextCloseAsync());
        Assert.Equal([1, 1], _runner.Batches);
    }

    [Fact]
    public async Task A_record_that_was_not_sealed_does_not_leave_and_ends_its_own_channel()
    {
        await OpenAsync(3);
        _runner.Holds = true;
        _channels[0].Silo.SendText("first");
        _runner.Fails = key => ReferenceEquals(key, _channels[1].Silo.Key);
        _channels[1].Silo.SendText("plaintext");
        _channels[2].Silo.SendText("sound");

        await _runner.ReleaseAsync();

        Assert.Equal("sound", await ReadAsync(_channels[2].Gateway, _channels[2].Silo));
        Assert.Equal(CloseReason.Aborted, await _channels[1].Gateway.NextCloseAsync());
        Assert.IsType<LinkException>(await _channels[1].Silo.Lost);
        Assert.True(_silo!.IsAlive);
    }

    [Fact]
    public async Task A_last_word_after_a_record_that_was_not_sealed_does_not_leave()
    {
        await OpenAsync(1);
        var (gateway, silo) = _channels[0];
        _runner.Fails = static _ => true;
        silo.AfterFill = static channel => channel.SendClose(CloseReason.Done);
        silo.SendText("plaintext");

        await _siloEnd!.WaitAsync(TestLinks.Patience);

        Assert.IsType<LinkException>(await gateway.Lost);
        Assert.False(gateway.TryNext(out _));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Records_are_opened_before_the_frames_behind_them_are_seen(bool someoneElseRuns)
    {
        await OpenAsync(1);
        var (gateway, silo) = _channels[0];
        await silo.LogAsync(2);
        _runner.Holds = someoneElseRuns;
        gateway.SendRecords([.. silo.Client.SealData(10), .. silo.Client.SealData(20)]);
        gateway.SendFrame(FrameKind.Eof);
        if (someoneElseRuns)
            await _runner.ReleaseAsync();

        var log = (await silo.LogAsync(3)).Where(static what => what != "end").ToList();
        while (log.Count < 4)
            log = [.. (await silo.LogAsync(1)).Where(static what => what != "end")];

        Assert.Equal(["Attach", "ApplicationData", "ApplicationData", "Eof"], log);
    }

    [Fact]
    public async Task More_records_than_a_batch_holds_are_opened_by_several_calls()
    {
        await OpenAsync(1);
        var (gateway, silo) = _channels[0];
        const int Records = 3000;
        var bytes = new List<byte>();
        for (var i = 0; i < Records; i++)
            bytes.AddRange(silo.Client.SealData(1));
        for (var at = 0; at < bytes.Count; at += 23 * 700)
            gateway.SendRecords([.. bytes.Skip(at).Take(23 * 700)]);

        var log = await silo.LogAsync(Records);
        while (log.Count(static what => what == "ApplicationData") < Records)
            log = await silo.LogAsync(1);

        Assert.Equal(Records, _runner.Batches.Sum());
        Assert.All(_runner.Batches, static batch => Assert.InRange(batch, 1, RecordBatch.UsualRecords + 700));
    }

    [Fact]
    public async Task Keys_of_a_channel_that_ends_during_a_call_are_wiped_after_it()
    {
        await OpenAsync(1);
        var (gateway, silo) = _channels[0];
        _runner.Holds = true;
        silo.SendText("last");
        var key = silo.Key!;
        silo.Dispose();
        Assert.False(key.IsWiped);

        await _runner.ReleaseAsync();
        await gateway.NextAsync(FrameKind.Records);

        Assert.True(SpinWait.SpinUntil(() => key.IsWiped, TestLinks.Patience));
    }

    [Fact]
    public async Task A_failure_after_a_call_that_another_thread_made_ends_the_link_and_not_the_process()
    {
        await OpenAsync(1);
        _silo!.Logger = new FailingLogger();
        _runner.Holds = true;
        _runner.Fails = static _ => true;
        _channels[0].Silo.SendText("never");

        await _runner.ReleaseAsync();

        Assert.Contains(FailingLogger.Message, (await _siloEnd!.WaitAsync(TestLinks.Patience)).Message, StringComparison.Ordinal);
        Assert.IsType<LinkException>(await _channels[0].Gateway.Lost);
    }

    public async ValueTask InitializeAsync() => await ConnectAsync();

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await _gateway!.DisposeAsync();
        await _silo!.DisposeAsync();
    }

    public void Dispose()
    {
        _channels.ForEach(static channel => channel.Silo.Dispose());
        _runner.Dispose();
    }

    private async Task ConnectAsync()
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = DataLink.ConnectAsync(one, new LinkIdentity("gateway-1", "test"), TestLinks.Key, null, new LinkOptions(), TimeProvider.System, TestLinks.Engine, default);
        var silo = DataLink.ConnectAsync(other, new LinkIdentity("silo-1", "test"), TestLinks.Key, _acceptor, new LinkOptions(), TimeProvider.System, TestLinks.Engine, default, _runner);
        (_gateway, _silo) = (await gateway, await silo);
        _ = _gateway.RunAsync(default);
        _siloEnd = _silo.RunAsync(default);
    }

    private async Task OpenAsync(int channels)
    {
        for (var i = 0; i < channels; i++)
        {
            var gateway = new TestChannel { Returns = true };
            _gateway!.Open(gateway, FrameKind.Attach, [1]);
            var silo = await _acceptor.NextAsync();
            _channels.Add((gateway, silo));

            // It is accepted before it joins.
            await Eventually.TrueAsync(() => silo.Link is not null, "the channel has its link");
        }
    }

    // The frames of a client, opened.
    private static async Task<string> ReadAsync(TestChannel gateway, TlsChannel silo, int frames = 1)
    {
        var text = new StringBuilder();
        for (var i = 0; i < frames; i++)
        {
            ReadOnlyMemory<byte> records = await gateway.NextAsync(FrameKind.Records);
            while (!records.IsEmpty)
            {
                var length = RecordHeader.Size + ((records.Span[3] << 8) | records.Span[4]);
                text.Append(Encoding.ASCII.GetString(silo.Client.Open(records.Span[..length]).Content));
                records = records[length..];
            }
        }

        return text.ToString();
    }

    private sealed class Acceptor : ILinkAcceptor
    {
        private readonly System.Threading.Channels.Channel<TlsChannel> _accepted = System.Threading.Channels.Channel.CreateUnbounded<TlsChannel>();

        public LinkChannel Accept(DataLink link, FrameKind kind)
        {
            var channel = new TlsChannel();
            _accepted.Writer.TryWrite(channel);
            return channel;
        }

        public async Task<TlsChannel> NextAsync() => await _accepted.Reader.ReadAsync().AsTask().WaitAsync(TestLinks.Patience);
    }

    /// <summary>The first line is one too many.</summary>
    private sealed class FailingLogger : ILogger
    {
        public const string Message = "as the test wants it";

        private bool _hasFailed;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (_hasFailed)
                return;
            _hasFailed = true;
            throw new InvalidOperationException(Message);
        }
    }
}
