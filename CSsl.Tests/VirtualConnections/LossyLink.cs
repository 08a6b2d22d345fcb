using CSsl.Link;

namespace CSsl.Tests.VirtualConnections;

/// <summary>When a link is lost, and how.</summary>
/// <param name="BytesUp">Bytes of channels' frames to the silo after which it is; int.MaxValue: never.</param>
/// <param name="BytesDown">The same for those to the gateway.</param>
/// <param name="IsSilent">True: the silo does not hear of it, and goes on sealing records that nobody gets; false: it is cut for both.</param>
internal sealed record LossPlan(int BytesUp, int BytesDown, bool IsSilent)
{
    public static LossPlan Never { get; } = new(int.MaxValue, int.MaxValue, false);
}

/// <summary>A data link on its way from the gateway to a silo: every frame is noted, and at some byte, in the middle of a frame too, it ends.</summary>
internal sealed class LossyLink : IAsyncDisposable
{
    private readonly ILinkTransportListener _listener;
    private readonly LossPlan _plan;
    private readonly SealedRecords _records;
    private readonly Action _onLost;
    private readonly Task _running;
    private readonly Dictionary<uint, SealedRun> _runs = [];
    private volatile Stream? _toGateway;
    private volatile Stream? _toSilo;
    private volatile bool _isDisposed;
    private int _isLost;

    /// <param name="siloEndpoint">Where the silo listens.</param>
    /// <param name="plan">When it is lost.</param>
    /// <param name="records">Gets what is sealed.</param>
    /// <param name="onLost">Called once, just before the gateway hears of it.</param>
    public LossyLink(string siloEndpoint, LossPlan plan, SealedRecords records, Action onLost)
    {
        (_plan, _records, _onLost) = (plan, records, onLost);
        var endpoint = $"inproc:lossy-{Guid.NewGuid():N}";
        _listener = LinkTransport.For(endpoint).Listen(endpoint);
        _running = RunAsync(siloEndpoint);
    }

    /// <summary>What the gateway takes for the silo's.</summary>
    public string Endpoint => _listener.Endpoint;

    public async ValueTask DisposeAsync()
    {
        Interlocked.Exchange(ref _isLost, 1);
        _isDisposed = true;
        await _listener.DisposeAsync();
        _toGateway?.Dispose();
        _toSilo?.Dispose();
        await _running;
    }

    private async Task RunAsync(string siloEndpoint)
    {
        if (await _listener.AcceptAsync() is not var (gateway, _))
            return;
        _toGateway = gateway;
        var silo = await LinkTransport.For(siloEndpoint).ConnectAsync(siloEndpoint, default);
        _toSilo = silo;
        if (_isDisposed)
        {
            // It came too early to find them.
            gateway.Dispose();
            silo.Dispose();
        }

        await Task.WhenAll(PumpAsync(gateway, silo, _plan.BytesUp, OnFrameUp), PumpAsync(silo, gateway, _plan.BytesDown, OnFrameDown));
    }

    private async Task PumpAsync(Stream from, Stream to, int limit, Action<FrameHeader, ReadOnlyMemory<byte>> onFrame)
    {
        var isUp = to == _toSilo;
        var frame = new byte[FrameHeader.Size + LinkChannel.MaxPayload];
        try
        {
            while (true)
            {
                await from.ReadExactlyAsync(frame.AsMemory(0, FrameHeader.Size));
                var header = FrameHeader.Read(frame, LinkChannel.MaxPayload);
                await from.ReadExactlyAsync(frame.AsMemory(FrameHeader.Size, header.Length));
                var length = FrameHeader.Size + header.Length;
                if (header.Channel != 0)
                    onFrame(header, frame.AsMemory(FrameHeader.Size, header.Length));
                if (Volatile.Read(ref _isLost) != 0)
                    continue;

                var passed = header.Channel == 0 ? length : Math.Min(length, limit);
                if (passed > 0)
                    await to.WriteAsync(frame.AsMemory(0, passed));
                if (header.Channel == 0)
                    continue;
                limit -= limit == int.MaxValue ? 0 : passed;
                if (limit == 0)
                    Lose();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // A silent loss ends the gateway's half only.
            Lose();
            if (!isUp || !_plan.IsSilent)
                _toSilo!.Dispose();
        }
    }

    private void Lose()
    {
        if (Interlocked.Exchange(ref _isLost, 1) != 0)
            return;
        _onLost();
        _toGateway!.Dispose();
        if (!_plan.IsSilent)
            _toSilo!.Dispose();
    }

    // Whole frames only: what the silo does not get whole it does not get.
    private void OnFrameUp(FrameHeader header, ReadOnlyMemory<byte> payload)
    {
        if (header.Kind != FrameKind.Attach)
            return;
        lock (_runs)
            _runs[header.Channel] = _records.Begin(Attach.Decode(payload.Span));
    }

    private void OnFrameDown(FrameHeader header, ReadOnlyMemory<byte> payload)
    {
        SealedRun? run;
        lock (_runs)
        {
            if (!_runs.TryGetValue(header.Channel, out run))
                return;
        }

        if (header.Kind == FrameKind.Records)
            run.Add(RecordsPrefix.Read(payload.Span, out _));
        else if (header.Kind == FrameKind.Rekeyed)
            run.Announce(Rekeyed.Decode(payload.Span));
    }
}
